"""A moderator's word on a thread's title and address: checked, logged, final, and published anew."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from sqlalchemy.orm import Session

from models.records import Thread
from models.store.database import now
from models.text.cleaning import clean_line, is_blank
from models.text.urls import link
from service.comments.submission import MOST_TITLE, MOST_URL
from service.http.problems import Problem
from service.moderation.acts import note_act


class NewName(TypedDict, total=False):
    """What is to be changed; None takes it away."""

    title: str | None
    url: str | None


def name_thread(session: Session, thread: Thread, new: NewName, *, by: str) -> None:
    """Change a thread's title or address. No comment changes it after that; the page is owed, so
    ring for it.
    """
    for field, value in new.items():
        if value != getattr(thread, field):
            what = "title" if field == "title" else "address"
            did = (
                f"gave “{thread.key}” the {what} “{value}”"
                if value
                else f"took the {what} from “{thread.key}”"
            )
            note_act(session, by, "threads", did, site_id=thread.site_id)
    if "title" in new:
        thread.title, thread.title_is_final = new["title"], True
    if "url" in new:
        thread.url, thread.url_is_final = new["url"], True
    thread.revision += 1
    thread.publish_due = now()


def checked_title(text: str) -> str | None:
    """The title as it is kept, or None for an empty one. Raises the 422 that says what is wrong."""
    try:
        title = clean_line(text, MOST_TITLE)
    except ValueError as error:
        raise _wrong("title", str(error)) from None
    return None if is_blank(title) else title


def checked_address(text: str, origins: Collection[str]) -> str | None:
    """The address as it is kept, or None for an empty one. Raises the 422 for a page that is not on
    the site.
    """
    text = text.strip()
    if not text:
        return None
    url = link(text) if len(text) <= MOST_URL and text.isprintable() and " " not in text else None
    if url is None or url.origin not in origins:
        raise _wrong("url", "This page does not belong to the site.")
    kept = f"{url.origin}{url.path}{f'?{url.query}' if url.query else ''}"
    if len(kept) > MOST_URL:
        raise _wrong(
            "url", f"This is too long: at most {MOST_URL:,} characters, as a browser writes it."
        )
    return kept


def _wrong(field: str, message: str) -> Problem:
    return Problem(422, message, errors=[{"field": field, "message": message}])
