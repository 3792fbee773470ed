"""Open an appeal against the rejection of a comment, and read what its author may know about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.locales.words import Words
from models.records import Appeal, DecisionRecord, Statement
from models.records.review import DUE_AFTER
from models.settling.appeals import APPEALED
from models.settling.changes import Settled
from models.settling.history import Line, deciding_entry
from models.settling.settling import Settling
from models.settling.statements import paragraphs


class NotAppealable(Exception):
    """Raised if the author cannot appeal; `why` names the sentence in the `appeal` words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Reasons(NamedTuple):
    """The statement of the decision that stands, and the appeal against it or that led to it."""

    statement: Statement | None
    appeal: Appeal | None


def reasons_for(session: Session, comment_ids: Collection[str]) -> dict[str, Reasons]:
    """Return the reasons for the status of each of these comments. Decisions about edits give
    none.
    """
    stands, current = _stands(session, comment_ids)
    wanted = [line.id for line in stands.values()]
    stated = select(Statement).where(Statement.decision_id.in_(wanted))
    statements = {row.decision_id: row for row in session.scalars(stated)} if wanted else {}
    appealed = select(Appeal).where(Appeal.comment_id.in_(current)).order_by(Appeal.id)
    appeals: dict[str, Appeal] = {}
    for row in session.scalars(appealed) if current else ():
        if not current[row.comment_id].isdisjoint((row.decision_id, row.closed_by)):
            appeals[row.comment_id] = row
    return {
        id_: Reasons(statements.get(stands[id_].id) if id_ in stands else None, appeals.get(id_))
        for id_ in comment_ids
    }


def _stands(
    session: Session, comment_ids: Collection[str]
) -> tuple[dict[str, Line], dict[str, set[str]]]:
    """Return the decision that gave each comment its status, and the ids of that one and of the
    latest one, which may be an undo.
    """
    log = select(
        DecisionRecord.comment_id, DecisionRecord.id, DecisionRecord.by, DecisionRecord.undoes
    ).where(DecisionRecord.comment_id.in_(comment_ids), DecisionRecord.edit_id.is_(None))
    newest_first = log.order_by(DecisionRecord.version.desc(), DecisionRecord.id.desc())
    lines: defaultdict[str, list[Line]] = defaultdict(list)
    for comment_id, id_, by, undoes in session.execute(newest_first) if comment_ids else ():
        lines[comment_id].append(Line(id_, by, undoes))
    found = {id_: deciding_entry(log) for id_, log in lines.items()}
    stands = {id_: line for id_, line in found.items() if line}
    current = {
        id_: {line.id for line in (found[id_], log[0]) if line} for id_, log in lines.items()
    }
    return stands, current


def reasons_of(session: Session, decision_ids: Collection[str]) -> dict[str, Reasons]:
    """Return for each of these decisions its statement, and the appeal that it closed."""
    stated = select(Statement).where(Statement.decision_id.in_(decision_ids))
    comments = select(DecisionRecord.comment_id).where(DecisionRecord.id.in_(decision_ids))
    closed = select(Appeal).where(
        Appeal.comment_id.in_(comments), Appeal.closed_by.in_(decision_ids)
    )
    if not decision_ids:
        return {}
    statements = {row.decision_id: row for row in session.scalars(stated)}
    appeals = {str(row.closed_by): row for row in session.scalars(closed)}
    return {id_: Reasons(statements.get(id_), appeals.get(id_)) for id_ in decision_ids}


def in_words(reasons: Reasons, words: Words) -> list[str]:
    """Return the answer to an appeal, and the statement of reasons, as paragraphs of a mail."""
    statement, appeal = reasons
    said = [words.appeal[appeal.status]] if appeal else []
    if appeal and appeal.answer:
        said.append(f"{words.appeal['answer']} {appeal.answer}")
    if statement is None:
        return said
    is_answered = appeal is not None and statement.answer == appeal.answer
    return said + paragraphs(statement, words, with_answer=not is_answered)


def open_appeal(session: Session, comment_id: str, text: str) -> tuple[Appeal, Settled]:
    """Open an appeal against the decision that rejected the comment, and the review of it. Raises
    `NotAppealable`.
    """
    work = Settling(session, [comment_id])  # locks the comment, so that no decision comes between
    comment = work.drafts.comments.get(comment_id)
    if comment is None or comment.erased_at or comment.status != "rejected":
        raise NotAppealable("none")
    statement, earlier = reasons_for(session, [comment_id])[comment_id]
    if earlier is not None:
        raise NotAppealable("again")
    if statement is None:
        raise NotAppealable("none")
    if statement.appeal_until is None or statement.appeal_until < work.at:
        raise NotAppealable("late")
    appeal = Appeal(
        id=new_id(),
        site_id=comment.site_id,
        comment_id=comment_id,
        decision_id=statement.decision_id,
        status="open",
        text=text,
        answer="",
        opened_at=work.at,
        due_at=work.at + DUE_AFTER[APPEALED],
    )
    session.add(appeal)
    session.flush()
    settled = work.appealed(comment)
    work.write()
    return appeal, work.with_deliveries(settled)
