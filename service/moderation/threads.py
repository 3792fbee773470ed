"""Change a thread: close, open or slow it down, have its comments read first, name it. Each change
is logged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.policy import MayPost
from models.records import Thread
from models.store.database import insert_new, now
from models.text.cleaning import clean_line, is_blank
from models.text.urls import link
from service.comments.submission import MOST_TITLE, MOST_URL
from service.http.problems import wrong_field
from service.moderation.log import note_act

_STATES = {"open": "opened", "closed": "closed"}
_MODERATION = {
    "before": "turned on review of every comment for",
    "after": "turned off review of every comment for",
}
_MAY_POST: dict[MayPost | None, str] = {
    None: "decided that those whom the site's policy names",
    "anyone": "decided that anyone",
    "proven": "decided that only readers with a confirmed address or the site's sign-on",
    "signed_in": "decided that only readers whom the site signed in",
}


class ThreadChanges(TypedDict, total=False):
    """The settings to change; a field that is left out stays.

    With `moderation` "before", a moderator reads every comment first. `slow_seconds` is how long an
    author waits between two comments. `identity` says who may post. None removes a title, an
    address or the waiting time, and leaves the identity to the site's policy.
    """

    state: Literal["open", "closed"]
    moderation: Literal["before", "after"]
    slow_seconds: int | None
    identity: MayPost | None
    title: str | None
    url: str | None


def thread_of(session: Session, site_id: int, key: str) -> Thread:
    """Return the thread with this key, locked. It is created if it has no comments yet."""
    session.connection().execute(insert_new(Thread), {"site_id": site_id, "key": key})
    wanted = select(Thread).where(Thread.site_id == site_id, Thread.key == key)
    return session.execute(wanted.with_for_update(key_share=True)).scalar_one()


def alter_thread(session: Session, thread: Thread, changes: ThreadChanges, *, by: str) -> None:
    """Change a locked thread and log each difference. Its page is due then: ring for it after the
    commit.

    Comments never change a title or an address that was set here. Opening a thread that is open
    counts as a change: its age starts again.
    """
    for sentence in _sentences(thread, changes):
        note_act(session, by, "threads", sentence, site_id=thread.site_id)
    if "state" in changes:
        thread.state = changes["state"]
    if changes.get("state") == "open":
        thread.opened_at = now()
    if "moderation" in changes:
        thread.moderation = "before" if changes["moderation"] == "before" else None
    if "slow_seconds" in changes:
        thread.slow_seconds = changes["slow_seconds"]
    if "identity" in changes:
        thread.identity = changes["identity"]
    if "title" in changes:
        thread.title, thread.title_is_final = changes["title"], True
    if "url" in changes:
        thread.url, thread.url_is_final = changes["url"], True
    thread.revision += 1
    thread.publish_due = now()


def _sentences(thread: Thread, changes: ThreadChanges) -> Iterator[str]:
    """Return what the log says of each change: a sentence without its subject."""
    name = f"the thread “{thread.title or thread.key}”"
    state = changes.get("state")
    if state and (state == "open" or state != thread.state):
        yield f"{_STATES[state]} {name}"
    moderation = changes.get("moderation")
    if moderation and moderation != (thread.moderation or "after"):
        yield f"{_MODERATION[moderation]} {name}"
    if "slow_seconds" in changes and changes["slow_seconds"] != thread.slow_seconds:
        was, becomes = (_pause(each) for each in (thread.slow_seconds, changes["slow_seconds"]))
        yield f"changed slow mode from {was} to {becomes} for {name}"
    if "identity" in changes and changes["identity"] != thread.identity:
        yield f"{_MAY_POST[changes['identity']]} may post in {name}"
    if "title" in changes and changes["title"] != thread.title:
        yield _renaming(thread, "title", changes["title"])
    if "url" in changes and changes["url"] != thread.url:
        yield _renaming(thread, "address", changes["url"])


def _pause(seconds: int | None) -> str:
    return f"{seconds} s" if seconds else "off"


def _renaming(thread: Thread, noun: str, value: str | None) -> str:
    """Leave out the old value: a reader's browser sent it, and the log is kept forever."""
    if value:
        return f"set the {noun} of “{thread.key}” to “{value}”"
    return f"removed the {noun} of “{thread.key}”"


def checked_title(text: str) -> str | None:
    """Return the cleaned title, or None for an empty one. Raises a 422 that says what is wrong."""
    try:
        title = clean_line(text, MOST_TITLE)
    except ValueError as error:
        raise wrong_field("title", str(error)) from None
    return None if is_blank(title) else title


def checked_address(text: str, origins: Collection[str]) -> str | None:
    """Return the address in its stored form, or None for an empty one. Raises a 422 for a page that
    is not on the site.
    """
    text = text.strip()
    if not text:
        return None
    url = link(text) if len(text) <= MOST_URL and text.isprintable() and " " not in text else None
    if url is None or url.origin not in origins:
        raise wrong_field("url", "This URL is not on one of the site's origins.")
    kept = f"{url.origin}{url.path}{f'?{url.query}' if url.query else ''}"
    if len(kept) > MOST_URL:
        raise wrong_field(
            "url", f"This is too long: at most {MOST_URL:,} characters after URL encoding."
        )
    return kept
