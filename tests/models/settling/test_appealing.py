"""An appeal that arrives together with another one, or with a decision, leaves one clear state."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from models.judgement.policy import Verdict
from models.records import Appeal, Comment, Review
from models.settling.appealing import NotAppealable, open_appeal, reasons_for
from models.settling.changes import Change
from models.store.database import begin, reading
from tests.caller import Client, posted
from tests.greenroom import PATIENCE
from tests.models.settling.deciding import BEN, decide, settle_one

ROUNDS = 8


def appealed(comment: str) -> str:
    """Appeal. Return the id of the appeal, or why there is none."""
    try:
        with begin() as session:
            return open_appeal(session, comment, "Why?")[0].id
    except NotAppealable as refused:
        return refused.why


def together(*works: Callable[[], object]) -> list[object]:
    """Do these at once, each in a thread of its own. Return their results."""
    barrier = Barrier(len(works))

    def start(work: Callable[[], object]) -> object:
        barrier.wait(PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return [each.result(PATIENCE) for each in [threads.submit(start, work) for work in works]]


def test_of_two_appeals_at_once_one_is_refused(client: Client) -> None:
    for number in range(ROUNDS):
        comment = posted(client, body=f"Number {number}")
        decide(comment, "reject")
        answers = together(lambda: appealed(comment), lambda: appealed(comment))  # noqa: B023
        assert "again" in answers
        with reading() as session:
            rows = session.scalars(select(Appeal).where(Appeal.comment_id == comment)).all()
            reviews = session.scalars(select(Review).where(Review.comment_id == comment)).all()
        assert [row.id for row in rows] == [each for each in answers if each != "again"]
        assert [(row.cause, row.closed_at) for row in reviews] == [("appealed", None)]


def test_a_decision_at_the_same_time_closes_the_appeal_or_comes_before_it(client: Client) -> None:
    for number in range(ROUNDS):
        comment = posted(client, body=f"Number {number}")
        decide(comment, "reject")
        change = Change(comment, Verdict.APPROVE, by=BEN)
        answer, _ = together(lambda: appealed(comment), lambda: settle_one(change))  # noqa: B023
        with reading() as session:
            status = session.get_one(Comment, comment).status
            appeal = reasons_for(session, [comment])[comment].appeal
            is_open = Review.comment_id == comment, Review.closed_at.is_(None)
            waiting = session.scalars(select(Review.cause).where(*is_open)).all()
        assert status == "approved"
        assert waiting == []
        if answer == "none":
            assert appeal is None
        else:
            assert appeal
            assert (appeal.id, appeal.status) == (answer, "reversed")
