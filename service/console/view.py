"""A list as its address describes it: read from the query, and written again with a change."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlencode

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Comment, Site
from models.text.numbers import digits_to_int
from service.comments.receipts import receipt_of
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.queue import ORDERS, TABS, Place, View

FILTERS = (
    "site",
    "thread",
    "check",
    "reason",
    "language",
    "author",
    "campaign",
    "since",
    "until",
    "q",
)
MOST_LENGTH = 200
NEWEST_FIRST = ("approved", "rejected", "all")  # finished comments are listed from the latest on

# Alone or at the end of an address: `/sites/paper/c/ID`, `/v1/receipts/ID.SIGNATURE`,
# `/harbour#greenroom-ID.2`.
_NAMED = re.compile(
    r"(?:\S*(?:/|(#greenroom-)))?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([\w-]*))?"
)


class Asked:
    """The requested list. `sites` are keys by id, those that the moderator may see and the address
    does not exclude.
    """

    def __init__(self, session: Session, who: SignedIn) -> None:
        given = {
            name: value.strip()[:MOST_LENGTH]
            for name, value in request.args.items()
            if "\0" not in value
        }
        self.given = {name: given[name] for name in FILTERS if given.get(name)}
        self.tab = given.get("tab") or ("all" if "q" in self.given else "review")
        if self.tab not in TABS:
            raise Problem(404, "There is no such list.")
        usual = "newest" if self.tab in NEWEST_FIRST else "oldest"
        self.orders = ORDERS if self.tab == "review" else ORDERS[:2]  # no index has another order
        self.order = (
            given.get("order", usual) if given.get("order", usual) in self.orders else usual
        )
        self.usual_order = usual
        self.item = given.get("item", "") if is_id(given.get("item", "")) else ""
        self.after = Place.read(given.get("after", ""))
        every = dict(
            session.execute(select(Site.id, Site.key).where(Site.key.in_(who.sites))).all()
        )
        self.all_sites = every
        self.sites = {id_: key for id_, key in every.items() if self.given.get("site", key) == key}
        self.view = View(
            tab=self.tab,
            order=self.order,
            thread_id=digits_to_int(self.given.get("thread")),
            check=self.given.get("check", ""),
            reason=self.given.get("reason", ""),
            language=self.given.get("language", ""),
            author=self._author(session),
            campaign=campaign if is_id(campaign := self.given.get("campaign", "")) else "",
            since=day_of(self.given.get("since")),
            until=day_of(self.given.get("until")),
            words=self.given.get("q", ""),
            by_email_on={id_ for id_, key in every.items() if who.may(key, "moderator")},
            moderator_id=who.moderator_id,
            roles={id_: who.sites[key] for id_, key in every.items()},
        )

    def _author(self, session: Session) -> str:
        """Find the author by one of their comments: addresses are shared, mailed and logged, so
        they contain no email.
        """
        comment = self.given.get("author", "")
        if not comment:
            return ""
        wanted = select(Comment.email_index).where(
            Comment.id == comment, Comment.site_id.in_(self.all_sites)
        )
        return (session.execute(wanted).scalar() if is_id(comment) else None) or "nobody"

    @property
    def named(self) -> str | None:
        """Return the comment that the search names: by its id or its receipt, or by an address that
        contains one of them, such as the article's at the comment's place.
        """
        found = _NAMED.fullmatch(self.given.get("q", ""))
        if found is None:
            return None
        on_a_page, comment, signature = found.groups()
        return (
            comment
            if on_a_page or not signature or receipt_of(comment) == f"{comment}.{signature}"
            else None
        )

    def href(self, **changes: str | None) -> str:
        """Return the address of this list with a change. None removes a part. It names no item."""
        parts: dict[str, str | None] = {"tab": self.tab, "order": self.order}
        parts.update(self.given)
        parts.update(changes)
        if parts.get("tab") == ("all" if parts.get("q") else "review"):
            parts.pop("tab")
        if parts.get("order") == (
            self.usual_order if parts.get("tab", self.tab) == self.tab else None
        ):
            parts.pop("order")
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/console/?{query}" if query else "/console/"

    def to_tab(self, tab: str) -> str:
        """Return the address of the same filters on another tab, in that tab's own order."""
        kept = dict.fromkeys(("order", *(("q", "reason") if tab != "all" else ())))
        return self.href(tab=tab, **kept)


def day_of(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and 2000 <= day.year <= 2100 else None
