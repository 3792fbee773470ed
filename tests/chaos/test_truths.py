"""The checker itself is tested: it finds and names each broken rule, and each removed guarantee
shows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from bench.chaos import sabotaged
from bench.chaos.told import Told, digest
from bench.chaos.truths import MARK, Records, violations
from models.identifiers import new_id
from models.records import Comment, DecisionRecord, Event, Review, Statement, Thread
from models.store import storage
from models.store.database import begin, now, reading
from tests.caller import COMMENT, Caller, Client, posted, publish_all, screen_all


@pytest.fixture
def told(tmp_path: Path) -> Path:
    with Told(tmp_path / "told.jsonl") as log:
        return log.path


def broken(told: Path, *files: Path) -> set[str]:
    """Return the rules that do not hold."""
    return {truth for truth, found in violations(Records(told, files=files)).items() if found}


def accepted(told: Path, comment: str, key: str) -> None:
    with Told(told) as log:
        about = {"author": "ann", "thread": COMMENT["thread"], "body": digest(COMMENT["body"])}
        log.note("accepted", id=comment, key=key, **about)


def test_without_the_sweep_a_comment_whose_message_was_lost_waits_forever(
    client: Client, told: Path
) -> None:
    posted(client)
    assert broken(told) == {"every comment is settled or waits for a human"}


def test_without_the_constraint_the_same_words_are_kept_twice(
    client: Client, moderator: Caller, told: Path
) -> None:
    sabotaged.drop_unique()
    for key in ("one", "other"):
        accepted(told, posted(client), key)
    screen_all()
    publish_all()
    assert broken(told) == {"the same Idempotency-Key, or the same words again, is one row"}


def test_without_leases_an_older_page_is_put_over_a_newer_one(
    client: Client, moderator: Caller, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = [posted(client, body=f"The ferry was late {times} times.") for times in (1, 2)]
    screen_all()
    moderator.decide(comments[0], "approve")
    later = [lambda: moderator.decide(comments[1], "reject"), publish_at_will]

    def meanwhile(_: float) -> None:
        """Another moderator, or another publisher, who acts meanwhile."""
        while later:
            later.pop(0)()

    monkeypatch.setattr(sabotaged.time, "sleep", meanwhile)
    publish_at_will()
    assert broken(told) == {"a comment is published if and only if it is approved; counts agree"}


def publish_at_will() -> None:
    with reading() as session:
        sabotaged.publish_at_will(session.execute(select(Thread.id)).scalars().all())


def _lose_the_row() -> None:
    with begin() as session:
        for record in (Event, Review, Statement, DecisionRecord):
            session.execute(delete(record))
        session.connection().exec_driver_sql("DELETE FROM screenings")
        session.connection().exec_driver_sql("DELETE FROM fingerprints")
        session.execute(delete(Comment))


def _ask_no_human() -> None:
    with begin() as session:
        session.execute(update(Comment).values(status="flagged"))


def _ask(cause: str) -> None:
    with begin() as session:
        comment = session.execute(select(Comment)).scalar_one()
        session.add(
            Review(
                id=new_id(),
                site_id=comment.site_id,
                comment_id=comment.id,
                cause=cause,
                opened_at=now(),
            )
        )


def _ask_once_more() -> None:
    _ask("flagged")


def _decide_twice() -> None:
    with begin() as session:
        first = session.execute(
            select(DecisionRecord).where(DecisionRecord.by == "policy")
        ).scalar_one()
        copy = {
            column.key: getattr(first, column.key) for column in DecisionRecord.__table__.columns
        }
        session.execute(insert(DecisionRecord), {**copy, "id": new_id()})


def _forget_a_decision() -> None:
    with begin() as session:
        session.execute(update(Review).values(closed_by=None))
        session.execute(delete(Statement))
        session.execute(delete(DecisionRecord).where(DecisionRecord.by != "policy"))


def _skip_an_event() -> None:
    with begin() as session:
        session.execute(delete(Event).where(Event.sequence == 1))


def _show_an_older_page() -> None:
    name = storage.newest_name("demo", "/harbour")
    stored = storage.get(name)
    assert stored is not None
    storage.put(name, stored.content.replace(b'"count":1', b'"count":2'), "application/json")


def _tell_an_address() -> None:
    with begin() as session:
        session.execute(update(DecisionRecord).values(note=f"{MARK}-7@paper.test"))


@pytest.mark.parametrize(
    ("harm", "truth"),
    [
        (_lose_the_row, "every 202 has its row, with the very words that were sent"),
        (_ask_no_human, "every comment is settled or waits for a human"),
        (_ask_once_more, "every comment is settled or waits for a human"),
        (_decide_twice, "at most one automatic decision a screening"),
        (_forget_a_decision, "the decision log is complete and legal"),
        (_skip_an_event, "events are gapless, each for one committed change"),
        (_show_an_older_page, "a comment is published if and only if it is approved; counts agree"),
        (_tell_an_address, "no commenter's address is anywhere else"),
    ],
)
def test_each_violation_is_noticed(
    client: Client, moderator: Caller, told: Path, harm: Callable[[], None], truth: str
) -> None:
    comment = posted(client)
    accepted(told, comment, "one")
    screen_all()
    for verdict in ("reject", "approve"):
        moderator.decide(comment, verdict)
    publish_all()
    assert broken(told) == set()
    harm()
    assert truth in broken(told)


def test_a_comment_that_is_live_may_wait_for_an_opinion(
    client: Client, moderator: Caller, told: Path
) -> None:
    moderator.decide(posted(client), "approve")
    publish_all()
    _ask("sampled")
    assert broken(told) == set()


def test_an_address_in_a_log_or_a_message_is_noticed(
    client: Client, told: Path, tmp_path: Path
) -> None:
    log, messages = tmp_path / "log", tmp_path / "aof"
    log.write_text(f"could not look up {MARK}-7@paper.test")
    messages.write_text(
        '{"body": "W1tbIm5vYm9keS1rbm93cy03QHBhcGVyLnRlc3QiXV0sIHt9XQ==", "headers": {}}'
    )
    assert (
        broken(told, log) == broken(told, messages) == {"no commenter's address is anywhere else"}
    )


def test_an_answer_of_500_is_noticed(client: Client, told: Path) -> None:
    with Told(told) as log:
        log.note("answered", status=500, path="GET /", at="12:00:00")
    assert broken(told) == {"nothing was answered with a 500"}
