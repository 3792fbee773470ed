"""The statement of reasons of a rejection, for the author of the comment (DSA, Article 17)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.judgement.rules import Rule, is_about_spam
from models.locales.words import Words
from models.records import Review, Statement
from models.settling.changes import Change
from models.settling.drafts import CommentDraft
from models.settling.rows import StatementRow

APPEAL_WITHIN = timedelta(days=184)  # no six months are longer
# The reviews that say who asked for a decision, the strongest first.
_SOURCES = {"notice": "notice", "reported": "report"}


def needs_statement(change: Change) -> bool:
    """Whether the author is owed a statement: after every rejection, except one for spam."""
    if change.verdict is not Verdict.REJECT or change.undoes:
        return False
    return not is_about_spam(change.checks) if change.screened else change.reason != "spam"


def statement_of(  # noqa: PLR0913 — the parts of one statement
    change: Change,
    comment: CommentDraft,
    decision_id: str,
    rule: Rule,
    *,
    source: str,
    is_final: bool,
    at: datetime,
) -> StatementRow:
    checks = f" {' '.join(change.checks)} " if change.checks else comment.held_by
    return {
        "id": new_id(),
        "site_id": comment.site_id,
        "comment_id": comment.id,
        "decision_id": decision_id,
        "restriction": "removed",
        "source": source,
        "checks": checks,
        "automated_detection": bool(checks),
        "automated_decision": not change.by.is_human,
        "rule": rule.key,
        "title": rule.title,
        "text": rule.text,
        "ground": rule.ground,
        "answer": change.answer,
        "at": at,
        "appeal_until": None if is_final else at + APPEAL_WITHIN,
    }


def facts(words: Words, *, source: str, detected: bool, decided: bool) -> str:
    """Say who asked for the decision, and whether machines detected or decided."""
    who = "machine" if decided else "both" if detected else "human"
    return f"{words.appeal[_asked(source)]} {words.appeal[f'decided_{who}']}"


def hidden_facts(words: Words, *, source: str, decided: bool) -> str:
    """The same for a published comment that is hidden until a moderator decides."""
    said = words.appeal
    who = "hidden_machine" if decided else "hidden_human"
    return f"{said['hidden']} {said[_asked(source)]} {said[who]}"


def _asked(source: str) -> str:
    return f"source_{source.partition('_')[0]}"  # "own", "report" or "notice"


def paragraphs(statement: Statement, words: Words, *, with_answer: bool = True) -> list[str]:
    """Return the whole statement for a mail: the rule, the facts, the moderator's words, and how to
    appeal.
    """
    said = words.appeal
    about = facts(
        words,
        source=statement.source,
        detected=statement.automated_detection,
        decided=statement.automated_decision,
    )
    until, has_answer = statement.appeal_until, with_answer and bool(statement.answer)
    redress = said["until"].replace("{date}", f"{until:%Y-%m-%d}") if until else said["final"]
    return [
        f"{said['why']}: {statement.title}",
        *([statement.text] if statement.text else []),
        f"{said[statement.ground]} {about}",
        *([f"{said['words_to_you']} {statement.answer}"] if has_answer else []),
        redress,
    ]


class Sources:
    """Who asked for the decisions of one transaction, read when it is first needed. For earlier
    decisions, give their ids as `closed_by`: they may have closed the reviews.
    """

    def __init__(
        self, session: Session, comment_ids: Collection[str], *, closed_by: Collection[str] = ()
    ) -> None:
        self._session, self._ids, self._closed_by = session, comment_ids, closed_by
        self._causes: dict[str, set[str]] | None = None

    def of(self, comment_id: str) -> str:
        """Return "notice" or "report" if such a review is open, and otherwise "own_initiative"."""
        if self._causes is None:
            self._causes = self._open_causes()
        causes = self._causes.get(comment_id, ())
        return next((said for cause, said in _SOURCES.items() if cause in causes), "own_initiative")

    def _open_causes(self) -> dict[str, set[str]]:
        asks: ColumnElement[bool] = Review.closed_at.is_(None)
        if self._closed_by:
            asks |= Review.closed_by.in_(self._closed_by)
        wanted = select(Review.comment_id, Review.cause).where(
            Review.comment_id.in_(self._ids),
            asks,
            Review.cause.in_(_SOURCES),
        )
        causes: dict[str, set[str]] = {}
        for comment_id, cause in self._session.execute(wanted):
            causes.setdefault(comment_id, set()).add(cause)
        return causes
