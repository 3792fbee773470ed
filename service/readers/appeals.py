"""What the author of a rejected comment is told, and their appeal (DSA, Articles 17 and 20)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.locales.words import Words, read_words
from models.records import Appeal, DecisionRecord, Statement
from models.settling.actor import Actor
from models.settling.appealing import NotAppealable, Reasons, open_appeal, reasons_for
from models.settling.statements import Sources, facts, hidden_facts
from models.store.database import begin
from models.text.cleaning import clean
from models.text.stamps import utc_stamp
from service.http.api_types import OneOf, Time
from service.http.problems import Problem
from service.moderation.deciding import publish_soon

MOST_TEXT = 5000


def appeal_text(text: str) -> str:
    """Return an author's words in their stored form. Raises ValueError if they are too long or
    blank.
    """
    cleaned = clean(text, MOST_TEXT).strip()
    if not cleaned:
        raise ValueError(read_words("en").appeal["empty"])
    return cleaned


class NewAppeal(BaseModel):
    """Why the author disagrees with the rejection."""

    model_config = ConfigDict(strict=True, extra="ignore")

    text: Annotated[
        str,
        StringConstraints(max_length=MOST_TEXT),
        AfterValidator(appeal_text),
        Field(examples=["I criticized the timetable, not the staff."]),
    ]


class ShownStatement(TypedDict):
    """Why a comment was rejected. `rule` is the key of the site's rule, `title` and `text` are its
    words at that time, and `ground` says whether it is a rule of the law or of the house. `facts`
    says what happened, and `answer` is what the moderator wrote to the author. `automated` means
    that no person decided. `appeal_until` is null if the author can no longer appeal.
    """

    rule: Annotated[str, Field(examples=["abuse"])]
    title: Annotated[str, Field(examples=["No insults, threats or hate"])]
    text: Annotated[str, Field(examples=["Treat others with respect."])]
    ground: Literal["house", "legal"]
    restriction: Annotated[str, OneOf(("removed",))]
    facts: Annotated[str, Field(examples=["A moderator decided."])]
    source: Annotated[str, OneOf(("own_initiative", "report", "notice"))]
    automated: bool
    automated_detection: bool
    automated_decision: bool
    answer: Annotated[str, Field(examples=["Please remove the second sentence."])]
    at: Time
    appeal_until: Time | None


class ShownHold(TypedDict):
    """Why a published comment is hidden until a moderator decides. `facts` says what happened.
    `automated_decision` means that no person hid it.
    """

    facts: Annotated[str, Field(examples=["Readers had reported the comment."])]
    source: Annotated[str, OneOf(("own_initiative", "report", "notice"))]
    automated_decision: bool
    at: Time


class ShownAppeal(TypedDict):
    """An appeal. `upheld` means that the comment stays rejected, `reversed` that it was published,
    and `changed` that the moderator decided something else. `answer` is null while it is open.
    """

    status: Annotated[str, OneOf(("open", "upheld", "reversed", "changed"))]
    text: Annotated[str, Field(examples=["I criticized the timetable, not the staff."])]
    answer: Annotated[str | None, Field(examples=["You are right. Sorry."])]
    at: Time
    due_at: Time
    closed_at: Time | None


class Told(NamedTuple):
    statement: ShownStatement | None
    appeal: ShownAppeal | None
    hidden: ShownHold | None = None


def told_about(session: Session, statuses: Mapping[str, str]) -> dict[str, Told]:
    """Return for each comment, given with its status, the statement of a rejection, the appeal that
    is open or led to this status, and why a published comment is hidden.
    """
    decided = [id_ for id_, status in statuses.items() if status not in {"pending", "deleted"}]
    reasons = reasons_for(session, decided)
    holds = _holds(session, [id_ for id_ in decided if statuses[id_] == "flagged"])
    return {
        id_: _told(reasons.get(id_, Reasons(None, None)), status, holds.get(id_))
        for id_, status in statuses.items()
    }


def _told(reasons: Reasons, status: str, hold: ShownHold | None) -> Told:
    statement, appeal = reasons
    is_shown = statement is not None and status == "rejected"
    return Told(
        _statement(statement) if statement and is_shown else None,
        appeal_shape(appeal) if appeal else None,
        hold,
    )


def _holds(session: Session, comment_ids: Collection[str]) -> dict[str, ShownHold]:
    """Return the holds of those comments that were published before."""
    if not comment_ids:
        return {}
    held = select(DecisionRecord).where(
        DecisionRecord.comment_id.in_(comment_ids),
        DecisionRecord.becomes == "flagged",
        DecisionRecord.was != "flagged",
        DecisionRecord.edit_id.is_(None),
    )
    rows = session.scalars(held.order_by(DecisionRecord.version, DecisionRecord.id))
    latest = {row.comment_id: row for row in rows}
    hidden = {id_: row for id_, row in latest.items() if row.was == "approved"}
    sources = Sources(session, list(hidden), closed_by=[row.id for row in hidden.values()])
    return {id_: _hold(row, sources.of(id_)) for id_, row in hidden.items()}


def _hold(decision: DecisionRecord, source: str) -> ShownHold:
    is_automated = not Actor.parse(decision.by).is_human
    return {
        "facts": hidden_facts(read_words("en"), source=source, decided=is_automated),
        "source": source,
        "automated_decision": is_automated,
        "at": utc_stamp(decision.at),
    }


def facts_of_hold(hold: ShownHold | None, words: Words) -> str:
    """Return the facts in the reader's language."""
    if hold is None:
        return ""
    return hidden_facts(words, source=hold["source"], decided=hold["automated_decision"])


def _statement(row: Statement) -> ShownStatement:
    return {
        "rule": row.rule,
        "title": row.title,
        "text": row.text,
        "ground": "legal" if row.ground == "legal" else "house",
        "restriction": row.restriction,
        "facts": facts(
            read_words("en"),
            detected=row.automated_detection,
            decided=row.automated_decision,
            source=row.source,
        ),
        "source": row.source,
        "automated": row.automated_decision,
        "automated_detection": row.automated_detection,
        "automated_decision": row.automated_decision,
        "answer": row.answer,
        "at": utc_stamp(row.at),
        "appeal_until": utc_stamp(row.appeal_until),
    }


def facts_of(statement: ShownStatement | None, words: Words) -> str:
    """Return the facts of a statement in the reader's language."""
    if statement is None:
        return ""
    return facts(
        words,
        detected=statement["automated_detection"],
        decided=statement["automated_decision"],
        source=statement["source"],
    )


def appeal_shape(row: Appeal) -> ShownAppeal:
    return {
        "status": row.status,
        "text": row.text,
        "answer": row.answer if row.closed_at else None,
        "at": utc_stamp(row.opened_at),
        "due_at": utc_stamp(row.due_at),
        "closed_at": utc_stamp(row.closed_at),
    }


class Refused(Problem):
    """A 409. `why` names its sentence in the `appeal` words of a locale file."""

    def __init__(self, why: str) -> None:
        super().__init__(409, read_words("en").appeal[why])
        self.why = why


def appeal(comment_id: str, text: str) -> ShownAppeal:
    """Open an appeal against the rejection of a comment. Raises `Refused` if there is nothing to
    appeal, or no longer.
    """
    with begin() as session:
        try:
            row, settled = open_appeal(session, comment_id, text)
        except NotAppealable as refused:
            raise Refused(refused.why) from None
        shape = appeal_shape(row)
    publish_soon(settled)
    return shape
