"""A comment's whole record for moderators: evidence, reviews, decisions. The number of queries is
small and does not depend on the number of comments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar, cast

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.records import Appeal as AppealRow
from models.records import Comment, DecisionRecord, Reader, Screening, Thread
from models.records import Edit as EditRecord
from models.records import Review as ReviewRecord
from models.records.review import OF_READERS
from models.settling.actor import ActorShape
from models.settling.history import is_by_human
from models.store.published import Badges
from models.store.secrets import decrypt_email
from models.text import markdown
from models.text.stamps import utc_stamp
from service.http.api_types import By, Email, Id, OneOf, Status, ThreadKey, Time, Url, Verdict
from service.moderation.objections import (
    NoticeRecord,
    Reports,
    no_reports,
    notices_of,
    reports_of,
)
from service.people.names import actors_of

Logged = TypeVar("Logged", ReviewRecord, DecisionRecord, EditRecord, AppealRow)


class Evidence(TypedDict):
    """The result of one check. `found` has a sentence for each kind of finding, and `counts` has
    the numbers that a policy compares.
    """

    check: Annotated[str, Field(examples=["links"])]
    outcome: Literal["clear", "found", "abstained", "unavailable"]
    detail: Annotated[str, Field(examples=["links to 3 sites"])]
    score: float | None
    found: dict[str, str]
    counts: dict[str, float]
    campaign: Id | None
    rule: By | None
    ms: Annotated[float, Field(examples=[0.4])]
    version: Annotated[str, Field(examples=["1"])]


class Review(TypedDict):
    """Why a moderator should look at a comment, until when, and when this was opened and closed."""

    cause: Annotated[str, Field(examples=["flagged"])]
    opened: Time
    due: Time | None
    closed: Time | None


class Decision(TypedDict):
    """One decision on a comment, or on an `edit` of its text. `undoes` is the decision that it
    undid. `rule` is the key of the rule that it applied, and `answer` what the author was told; the
    `note` stays inside.
    """

    id: Id
    at: Time
    by: By
    actor: ActorShape | None
    verdict: Verdict
    reasons: Annotated[list[str], Field(examples=[["spam"]])]
    reason: Annotated[str, OneOf(("spam", "abuse", "off_topic", "other"))] | None
    note: Annotated[str, Field(examples=["An advertisement for shoes."])]
    rule: Annotated[str | None, Field(examples=["respect"])]
    answer: Annotated[str, Field(examples=["We remove links to shops."])]
    version: Annotated[int, Field(examples=[2])]
    undoes: Id | None
    edit: Id | None


class Edit(TypedDict):
    """A change of a comment's text. An author's edit of a public comment is `waiting` until it is
    decided; readers see the earlier text until then.
    """

    id: Id
    at: Time
    by: By
    actor: ActorShape | None
    before: Annotated[str, Field(examples=["The ferry was late *again*."])]
    body: Annotated[str, Field(examples=["The ferry was late *twice*."])]
    note: Annotated[str, Field(examples=["Removed a telephone number."])]
    status: Annotated[str, OneOf(("waiting", "approved", "rejected", "replaced"))]
    settled: Time | None
    reason: Annotated[str, OneOf(("spam", "abuse", "off_topic", "other"))] | None


class KnownReader(TypedDict):
    """The author, if the site's sign-on ("signed_on") or a confirmed email address ("proven")
    identified the reader. `name` is the name now; the comment keeps its own.
    """

    id: Id
    kind: Literal["signed_on", "proven"]
    name: Annotated[str, Field(examples=["Ann Reed"])]
    email_is_proven: bool
    since: Time


class AppealRecord(TypedDict):
    """An appeal of the author against a decision. `answer` is null while it is open."""

    id: Id
    decision: Id
    status: Annotated[str, OneOf(("open", "upheld", "reversed", "changed", "withdrawn"))]
    text: Annotated[str, Field(examples=["I criticized the timetable, not the staff."])]
    answer: Annotated[str | None, Field(examples=["You are right. Sorry."])]
    opened: Time
    due: Time
    closed: Time | None


class CommentRecord(TypedDict):
    """Everything that Greenroom stores about a comment. If `blind` is true, the comment is a sample
    for a moderator to judge, so the record hides the checks' findings and the automatic decision.
    """

    id: Id
    thread: ThreadKey
    url: Url | None
    title: Annotated[str | None, Field(examples=["The harbour"])]
    parent: Id | None
    status: Status
    version: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Ann"])]
    email: Email | None
    website: Url | None
    badges: Badges
    reader: KnownReader | None
    body: Annotated[str, Field(examples=["The ferry was late *again*."])]
    html: Annotated[str, Field(examples=["<p>The ferry was late <em>again</em>.</p>"])]
    language: Annotated[str | None, Field(examples=["en"])]
    at: Time
    edited_at: Time | None
    erased_at: Time | None
    evidence: list[Evidence]
    reviews: list[Review]
    decisions: list[Decision]
    appeals: list[AppealRecord]
    edits: list[Edit]
    campaign: Id | None
    blind: bool
    reports: Reports
    notices: list[NoticeRecord]


def full_records(session: Session, comments: Sequence[Comment]) -> list[CommentRecord]:
    """Return the record of each comment, in the same order."""
    ids = [comment.id for comment in comments]
    threads = _threads(session, comments)
    evidence = _latest_evidence(session, ids)
    reviews = _grouped(session, ReviewRecord, ids)
    decisions = _grouped(session, DecisionRecord, ids)
    edits = _grouped(session, EditRecord, ids)
    appeals = _grouped(session, AppealRow, ids)
    bys = {decision.by for log in decisions.values() for decision in log}
    bys |= {edit.by for log in edits.values() for edit in log}
    actors = actors_of(session, bys)
    reports, notices = reports_of(session, ids), notices_of(session, ids)
    readers = _readers(session, comments)
    return [
        _record(
            comment,
            threads[comment.thread_id],
            evidence=evidence.get(comment.id, []),
            reviews=reviews[comment.id],
            decisions=decisions[comment.id],
            edits=edits[comment.id],
            appeals=appeals[comment.id],
            actors=actors,
            objections=(reports.get(comment.id) or no_reports(), notices.get(comment.id, [])),
            reader=readers.get(comment.reader_id or ""),
        )
        for comment in comments
    ]


def _record(  # noqa: PLR0913 — the parts of one record
    comment: Comment,
    thread: Thread,
    *,
    evidence: list[Evidence],
    reviews: Sequence[ReviewRecord],
    decisions: Sequence[DecisionRecord],
    edits: Sequence[EditRecord],
    appeals: Sequence[AppealRow],
    actors: Mapping[str, ActorShape | None],
    objections: tuple[Reports, list[NoticeRecord]],
    reader: KnownReader | None,
) -> CommentRecord:
    reports, notices = objections
    record: CommentRecord = {
        "id": comment.id,
        "thread": thread.key,
        "url": thread.url or comment.page.get("url"),
        "title": thread.title or comment.page.get("title"),
        "parent": comment.parent_id,
        "status": comment.status,
        "version": comment.version,
        "name": comment.name,
        "email": decrypt_email(comment.email) if comment.email else None,
        "website": comment.website,
        "badges": comment.badges or [],
        "reader": reader,
        "body": comment.body,
        "html": _html(comment),
        "language": comment.language,
        "at": utc_stamp(comment.at),
        "edited_at": utc_stamp(comment.edited_at),
        "erased_at": utc_stamp(comment.erased_at),
        "evidence": evidence,
        "reviews": [_review(review) for review in reviews],
        "decisions": [decision_shape(decision, actors[decision.by]) for decision in decisions],
        "appeals": [_appeal(appeal) for appeal in appeals],
        "edits": [_edit(edit, actors[edit.by]) for edit in edits],
        "campaign": comment.campaign,
        "blind": False,
        "reports": reports,
        "notices": notices,
    }
    return _blindfolded(record) if _is_blind(reviews, decisions) else record


def _readers(session: Session, comments: Sequence[Comment]) -> Mapping[str, KnownReader]:
    """Return the known authors of the comments, by their ids."""
    ids = {comment.reader_id for comment in comments if comment.reader_id}
    if not ids:
        return {}
    rows = session.scalars(select(Reader).where(Reader.id.in_(ids)))
    return {row.id: _known(row) for row in rows}


def _known(row: Reader) -> KnownReader:
    return {
        "id": row.id,
        "kind": "signed_on" if row.kind == "signed_on" else "proven",
        "name": row.name,
        "email_is_proven": row.email is not None,
        "since": utc_stamp(row.created_at),
    }


def _html(comment: Comment) -> str:
    """Return the stored HTML, or render it: a comment that waits may not be rendered yet."""
    if comment.html is None:
        return markdown.render(comment.body) if comment.body else ""
    return comment.html


def is_hidden(session: Session, ids: Sequence[str]) -> set[str]:
    """Return the comments that a moderator must judge without knowing what Greenroom found or
    did.
    """
    asked = select(ReviewRecord.comment_id).where(
        ReviewRecord.comment_id.in_(ids), ReviewRecord.blind, ReviewRecord.closed_at.is_(None)
    )
    suspects = list(set(session.execute(asked).scalars()))
    if not suspects:
        return set()
    reviews = _grouped(session, ReviewRecord, suspects)
    decisions = _grouped(session, DecisionRecord, suspects)
    return {comment for comment in suspects if _is_blind(reviews[comment], decisions[comment])}


def _is_blind(reviews: Sequence[ReviewRecord], decisions: Sequence[DecisionRecord]) -> bool:
    """Whether nobody has decided since the blind review was opened, and no reader waits for an
    answer: what they wrote, such as an appeal or an edit, must be read before a decision.
    """
    waiting = [review for review in reviews if review.closed_at is None]
    opened = [review.opened_at for review in waiting if review.blind]
    if any(review.cause in OF_READERS for review in waiting):
        return False
    return bool(opened) and not any(
        is_by_human(entry) and entry.at >= max(opened) for entry in decisions
    )


def _blindfolded(record: CommentRecord) -> CommentRecord:
    """Remove what Greenroom found or did from the record, so that a sampled comment and a flagged
    one look the same.
    """
    first = next(review for review in record["reviews"] if review["closed"] is None)
    return {
        **record,
        "status": "flagged",
        "evidence": [],
        "decisions": [],
        "appeals": [],
        "edits": [],
        "reviews": [{**first, "cause": "sampled"}],
        "blind": True,
    }


def decision_shapes(session: Session, decisions: Sequence[DecisionRecord]) -> list[Decision]:
    """Return these decisions with their actors, in the same order."""
    actors = actors_of(session, {decision.by for decision in decisions})
    return [decision_shape(decision, actors[decision.by]) for decision in decisions]


def decision_shape(decision: DecisionRecord, actor: ActorShape | None) -> Decision:
    return {
        "id": decision.id,
        "at": utc_stamp(decision.at),
        "by": decision.by,
        "actor": actor,
        "verdict": decision.verdict,
        "reasons": decision.reasons,
        "reason": decision.reason,
        "note": decision.note,
        "rule": decision.rule,
        "answer": decision.answer or "",
        "version": decision.version,
        "undoes": decision.undoes,
        "edit": decision.edit_id,
    }


def _edit(edit: EditRecord, actor: ActorShape | None) -> Edit:
    return {
        "id": edit.id,
        "at": utc_stamp(edit.at),
        "by": edit.by,
        "actor": actor,
        "before": edit.before,
        "body": edit.body,
        "note": edit.note,
        "status": edit.status,
        "settled": utc_stamp(edit.settled_at),
        "reason": edit.reason,
    }


def _review(review: ReviewRecord) -> Review:
    return {
        "cause": review.cause,
        "opened": utc_stamp(review.opened_at),
        "due": utc_stamp(review.due_at),
        "closed": utc_stamp(review.closed_at),
    }


def _appeal(appeal: AppealRow) -> AppealRecord:
    return {
        "id": appeal.id,
        "decision": appeal.decision_id,
        "status": appeal.status,
        "text": appeal.text,
        "answer": appeal.answer if appeal.closed_at else None,
        "opened": utc_stamp(appeal.opened_at),
        "due": utc_stamp(appeal.due_at),
        "closed": utc_stamp(appeal.closed_at),
    }


def _threads(session: Session, comments: Sequence[Comment]) -> dict[int, Thread]:
    ids = {comment.thread_id for comment in comments}
    return {row.id: row for row in session.scalars(select(Thread).where(Thread.id.in_(ids)))}


def _grouped(session: Session, record: type[Logged], ids: Sequence[str]) -> dict[str, list[Logged]]:
    """Group rows by comment, oldest first: ids sort by time."""
    groups: dict[str, list[Logged]] = defaultdict(list)
    rows = select(record).where(record.comment_id.in_(ids)).order_by(record.id)
    for row in session.scalars(rows):
        groups[row.comment_id].append(row)
    return groups


def _latest_evidence(session: Session, ids: Sequence[str]) -> dict[str, list[Evidence]]:
    wanted = select(Screening.comment_id, Screening.evidence).where(Screening.comment_id.in_(ids))
    rows = session.execute(wanted.order_by(Screening.number))
    # Returned as it is stored, so evidence of an old release may lack newer fields.
    return {comment_id: cast(list[Evidence], stored) for comment_id, stored in rows}
