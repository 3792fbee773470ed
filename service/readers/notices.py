"""Send a notice of illegal content, and tell the person who sent it what came of it (Article 16 of
the Digital Services Act).
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from email_validator import EmailNotValidError
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from sqlalchemy import select
from typing_extensions import TypedDict

from models.records import Notice, Site
from models.records.notice import CATEGORIES, NAMELESS
from models.settling.contacts import Contact, seal_contact
from models.settling.objecting import NewNotice, open_notice
from models.store.database import begin, reading
from models.store.signed_ids import read_signed, signed
from models.text.cleaning import clean, clean_line, is_blank
from models.text.email import MOST_EMAIL, parsed_email
from models.text.stamps import utc_stamp
from service.http import limits
from service.http.addresses import reader
from service.http.api_types import Id, OneOf, Time
from service.http.problems import Problem, wrong_fields
from service.moderation.deciding import publish_soon
from service.sites.lookup import SiteInfo

MOST_EXPLANATION, MOST_NAME, MOST_LINK = 5000, 200, 500  # characters
NOTICES = limits.Pace(a_minute=5, an_hour=20)
OUTCOMES = ("removed", "kept", "dismissed")
REDRESS = (
    "If you disagree with this decision, you can send another notice with further reasons, turn to "
    "a certified out-of-court dispute settlement body (Article 21 of the Digital Services Act), or "
    "go to court."
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What Article 16(2) asks for; the answer to a notice without it names the paragraph.
_MISSING = {
    "comment": "Name the comment: its id or its link (Article 16(2)(b)).",
    "explanation": "Explain why the comment is illegal (Article 16(2)(a)).",
    "category": f"Choose a category: {', '.join(CATEGORIES)}.",
    "name": (
        "Give your name (Article 16(2)(c)). Only notices about sexual abuse of children, in the "
        f"category {NAMELESS}, may leave it out."
    ),
    "email": (
        "Give your email address (Article 16(2)(c)). Only notices about sexual abuse of children, "
        f"in the category {NAMELESS}, may leave it out."
    ),
    "good_faith": (
        "Confirm with `true` that you believe in good faith that the notice is accurate and "
        "complete (Article 16(2)(d))."
    ),
}


def _missing_is_none(value: object) -> object:
    """Treat a blank text like a missing one."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("This contains a NUL character. Remove it.")
    return None if isinstance(value, str) and is_blank(value) else value


Text = Annotated[str | None, BeforeValidator(_missing_is_none)]


class NoticeBody(BaseModel):
    """A notice of illegal content. `comment` is the id of the comment or its link. `category` is a
    category of the DSA Transparency Database, without the prefix. All fields are required, but
    notices in the category PROTECTION_OF_MINORS may leave out `name` and `email`.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    comment: Annotated[Text, Field(examples=["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"])] = None
    explanation: Annotated[
        Text, Field(examples=["It calls for violence against a named person."])
    ] = None
    category: Annotated[Text, Field(examples=["ILLEGAL_OR_HARMFUL_SPEECH"])] = None
    name: Annotated[Text, Field(examples=["Ann Example"])] = None
    email: Annotated[Text, Field(examples=["ann@example.org"])] = None
    good_faith: Annotated[bool | None, Field(examples=[True])] = None

    @field_validator("comment")
    @classmethod
    def _comment(cls, value: str | None) -> str | None:
        found = _ID.search(clean_line(value, MOST_LINK).lower()) if value else None
        if value and found is None:
            raise ValueError("This is neither the id of a comment nor a link to one.")
        return found and found[0]

    @field_validator("explanation")
    @classmethod
    def _explanation(cls, value: str | None) -> str | None:
        return value and clean(value, MOST_EXPLANATION)

    @field_validator("category")
    @classmethod
    def _category(cls, value: str | None) -> str | None:
        if value is not None and value not in CATEGORIES:
            raise ValueError(f"This must be one of {', '.join(CATEGORIES)}.")
        return value

    @field_validator("name")
    @classmethod
    def _name(cls, value: str | None) -> str | None:
        return value and clean_line(value, MOST_NAME)

    @field_validator("email")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            return parsed_email(clean_line(value, MOST_EMAIL)).normalized
        except EmailNotValidError as error:
            raise ValueError(f"This is not an email address: {error}") from None

    def check_complete(self) -> None:
        """Raise a 422 that names everything that Article 16 asks for and the notice lacks."""
        may_be_nameless = self.category == NAMELESS
        needed = [
            name
            for name in _MISSING
            if not (may_be_nameless and name in {"name", "email"}) and not getattr(self, name)
        ]
        if needed:
            raise wrong_fields(
                {name: _MISSING[name] for name in needed},
                detail="The notice lacks something that Article 16 of the DSA asks for.",
            )


class NoticeStatus(TypedDict):
    """What came of a notice. `outcome` is "removed" or "kept" after a decision on the comment, and
    "dismissed" if the notice was closed without one. `automated` says whether a program decided.
    """

    id: Id
    comment: Id
    category: Annotated[str, Field(examples=["ILLEGAL_OR_HARMFUL_SPEECH"])]
    status: Annotated[str, OneOf(("open", "closed"))]
    at: Time
    due: Time
    outcome: Annotated[str, OneOf(OUTCOMES)] | None
    closed: Time | None
    answer: str | None
    automated: bool | None
    redress: Annotated[str | None, Field(examples=[REDRESS])]


class FoundNotice(NamedTuple):
    site: str
    answer: NoticeStatus


class Given(NamedTuple):
    """A notice that was sent: its id and its receipt."""

    id: str
    receipt: str


def count_notice(info: SiteInfo) -> None:
    """Count a notice, valid or not. Raises a 429 if this address has sent too many."""
    if too_fast := limits.count_sent("notice", f"{info.key} {reader()}", NOTICES):
        raise too_fast


def give_notice(info: SiteInfo, said: NoticeBody, language: str) -> Given:
    """Open the notice. Raises a 422 that names what it lacks, and a 404 if its comment is not
    published.
    """
    said.check_complete()
    new = NewNotice(
        site_id=info.id,
        comment_id=said.comment or "",
        category=said.category or "",
        explanation=said.explanation or "",
        contact=_sealed(said),
        language=language,
    )
    with begin() as session:
        filed = open_notice(session, new)
    if filed is None:
        raise Problem(404, "This comment is not published.")
    if filed.settled:
        publish_soon(filed.settled)
    return Given(filed.id, signed("notice", filed.id))


def _sealed(said: NoticeBody) -> bytes | None:
    contact: Contact = {"name": said.name or "", "email": said.email or ""}
    return seal_contact(contact) if any(contact.values()) else None


def find_notice(receipt: str) -> FoundNotice | None:
    """Return what came of the notice, and its site. None if the receipt is not one of ours."""
    notice_id = read_signed("notice", receipt)
    if notice_id is None:
        return None
    wanted = select(Notice, Site.key).join(Site, Site.id == Notice.site_id)
    with reading() as session:
        row = session.execute(wanted.where(Notice.id == notice_id)).one_or_none()
    if row is None:
        return None
    notice, site = row
    return FoundNotice(site, _status(notice))


def _status(notice: Notice) -> NoticeStatus:
    is_closed = notice.closed_at is not None
    return {
        "id": notice.id,
        "comment": notice.comment_id,
        "category": notice.category,
        "status": "closed" if is_closed else "open",
        "at": utc_stamp(notice.opened_at),
        "due": utc_stamp(notice.due_at),
        "outcome": notice.outcome,
        "closed": utc_stamp(notice.closed_at),
        "answer": notice.answer or None,
        "automated": notice.is_automated,
        "redress": REDRESS if is_closed else None,
    }
