"""Earlier decisions about comments, read from the decision log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import exists, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from models.records import Comment, DecisionRecord
from models.settling.actor import POLICY, Actor
from models.settling.appeals import own_appeals

# Written as in the partial indexes of the table: PostgreSQL and SQLite use those indexes only for a
# constant that they can compare while planning, not for a bound parameter.
BY_A_HUMAN = DecisionRecord.by != literal_column(f"'{POLICY}'")


DID = {"approve": "approved it", "reject": "rejected it", "flag": "sent it to review"}


class Entry(Protocol):
    """A line of the decision log: a record, or a row with some of its columns."""

    @property
    def id(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def undoes(self) -> str | None: ...


class Line(NamedTuple):
    """The smallest entry."""

    id: str
    by: str
    undoes: str | None


E = TypeVar("E", bound=Entry)


def did(decision: DecisionRecord) -> str:
    """Say what the decision did to its comment, without the subject: "approved it"."""
    return "undid a decision on it" if decision.undoes else DID[decision.verdict]


def is_by_human(entry: Entry) -> bool:
    return entry.by != str(POLICY)


def standing(pages: Iterable[Sequence[E]]) -> Iterator[E]:
    """Yield the decisions by humans that nobody undid, newest first. `pages` contain the log,
    newest line first. A long log is read one page at a time, only as far as the caller needs.
    """
    undone: set[str] = set()
    for page in pages:
        undone.update(entry.undoes for entry in page if entry.undoes)
        for entry in page:
            if is_by_human(entry) and not entry.undoes and entry.id not in undone:
                yield entry


def standing_decision(log: Iterable[DecisionRecord]) -> DecisionRecord | None:
    """Return the latest decision by a human that nobody undid. The log of the comment may be in any
    order.
    """
    newest_first = sorted(log, key=_order_made, reverse=True)
    return next(standing([newest_first]), None)


def _order_made(entry: DecisionRecord) -> tuple[int, str]:
    """Sort by version, which only grows, and then by id, which sorts decisions on one version by
    time.
    """
    return entry.version, entry.id


def human_decisions(
    session: Session, comment_ids: Sequence[str]
) -> dict[str, list[DecisionRecord]]:
    """Every decision by a human on each of these comments, undone or not."""
    wanted = select(DecisionRecord).where(DecisionRecord.comment_id.in_(comment_ids), BY_A_HUMAN)
    logs: dict[str, list[DecisionRecord]] = defaultdict(list)
    for entry in session.scalars(wanted):
        logs[entry.comment_id].append(entry)
    return logs


def standing_decisions(session: Session, comment_ids: Sequence[str]) -> dict[str, DecisionRecord]:
    """The standing human decision on each comment that has one."""
    logs = human_decisions(session, comment_ids)
    latest = {comment_id: standing_decision(log) for comment_id, log in logs.items()}
    return {comment_id: entry for comment_id, entry in latest.items() if entry}


class InBatch(NamedTuple):
    """A decision that was made together with others."""

    id: str
    batch: str
    comment_id: str


def standing_in_batches(session: Session, batches: Sequence[str]) -> list[InBatch]:
    """Return the decisions of these batches that nobody undid, in the order they were made."""
    undo = aliased(DecisionRecord)
    wanted = select(DecisionRecord.id, DecisionRecord.batch, DecisionRecord.comment_id)
    if not batches:
        return []
    wanted = wanted.outerjoin(undo, undo.undoes == DecisionRecord.id).where(
        DecisionRecord.batch.in_(batches), DecisionRecord.undoes.is_(None), undo.id.is_(None)
    )
    return [
        InBatch(id_, batch, comment_id)
        for id_, batch, comment_id in session.execute(wanted.order_by(DecisionRecord.id))
        if batch
    ]


def deciding_entry(newest_first: Sequence[E]) -> E | None:
    """Return the decision that gave a comment its status: the latest one, by a human or the policy,
    that is no undo and was not undone.
    """
    undone = {entry.undoes for entry in newest_first if entry.undoes}
    decided = (each for each in newest_first if not each.undoes and each.id not in undone)
    return next(decided, None)


def that_stand(session: Session, decision_ids: Collection[str]) -> set[str]:
    """Return those of the decisions that were not undone, and after which no decision has changed
    the status of their comment. Decisions about edits, and changes of the text, end none.
    """
    if not decision_ids:
        return set()
    later = aliased(DecisionRecord)
    has_changed = (later.version > DecisionRecord.version) & (later.was != later.becomes)
    ended = exists().where(
        later.comment_id == DecisionRecord.comment_id,
        or_(later.undoes == DecisionRecord.id, has_changed),
    )
    wanted = select(DecisionRecord.id).where(DecisionRecord.id.in_(decision_ids), ~ended)
    return set(session.scalars(wanted))


class Conflict(NamedTuple):
    """A comment that changed before someone could decide, and the decision that came first.

    `decision` is None if the comment changed without one, `version` if the comment is gone.
    `is_own_appeal` means that nothing changed, but that others must decide: the author appealed
    against a decision by the same person.
    """

    comment_id: str
    decision: DecisionRecord | None
    version: int | None = None
    status: str = "deleted"
    is_erased: bool = True
    is_own_appeal: bool = False


def conflicts(
    session: Session, comment_ids: Sequence[str], *, by: Actor | None = None
) -> list[Conflict]:
    """Return the conflict of each comment, in the order given, as the comments are now. `by` is who
    could not decide.
    """
    if not comment_ids:
        return []
    wanted = select(Comment.id, Comment.version, Comment.status, Comment.erased_at)
    rows = session.execute(wanted.where(Comment.id.in_(comment_ids))).all()
    found = {
        id_: (version, status, erased_at is not None) for id_, version, status, erased_at in rows
    }
    latest = _latest_decisions(session, comment_ids)
    own = own_appeals(session, comment_ids, by) if by else set()
    return [
        Conflict(id_, latest.get(id_), *found.get(id_, ()))._replace(is_own_appeal=id_ in own)
        for id_ in comment_ids
    ]


def _latest_decisions(session: Session, comment_ids: Sequence[str]) -> dict[str, DecisionRecord]:
    log = select(DecisionRecord).where(DecisionRecord.comment_id.in_(comment_ids))
    in_order = log.order_by(DecisionRecord.version, DecisionRecord.id)
    return {entry.comment_id: entry for entry in session.scalars(in_order)}
