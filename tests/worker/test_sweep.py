"""Due work gets done without any message: these tests have no broker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import AddressKey, Comment, Fingerprint, Heartbeat, Thread, Ticket
from models.settling.changes import Change
from models.store.database import begin, now, reading
from service.people import tickets
from tests.caller import Caller, Client, posted, screen_all
from worker import sweep
from worker.screening import examination, screening


def test_a_comment_whose_ring_was_lost_is_screened_and_published(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    with time_machine.travel(now() + timedelta(seconds=4)):
        sweep.sweep()
        record = moderator.record(comment)
        assert record["status"] in {"approved", "flagged"}
        moderator.decide(comment, "approve")
    with time_machine.travel(now() + timedelta(seconds=20)):
        sweep.sweep()
    assert [shown["id"] for shown in moderator.page()["comments"]] == [comment]


def test_without_a_broker_one_sweep_brings_a_comment_onto_its_page(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(examination._ON_THE_TEXT, "spam", _fine)
    comment = posted(client)
    with time_machine.travel(now() + timedelta(seconds=4)):
        sweep.sweep()
    assert [shown["id"] for shown in moderator.page()["comments"]] == [comment]


def test_the_sweep_leaves_work_that_is_not_overdue(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    sweep.sweep()
    assert moderator.record(comment)["status"] == "pending"


def test_two_sweeps_at_once_do_not_take_the_same_rows(client: Client) -> None:
    posted(client)
    later = now() + timedelta(seconds=4)
    assert len(sweep._overdue(Comment, Comment.screen_due, later)) == 1
    assert sweep._overdue(Comment, Comment.screen_due, later) == []


def test_a_check_that_could_not_run_is_tried_again_until_it_can(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client, email="ann@nowhere.test")  # the resolver of these tests never answers
    screen_all()
    first = moderator.record(comment)
    assert first["status"] == "flagged"
    assert {found["check"]: found["outcome"] for found in first["evidence"]}[
        "email"
    ] == "unavailable"
    with begin() as session:
        session.execute(update(Comment).values(email=_sealed("ann@example.org"), screen_due=now()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(examination._ON_THE_TEXT, "spam", _fine)
        screening.screen_now([comment])
    again = moderator.record(comment)
    assert again["status"] == "approved"
    assert [review["closed"] is not None for review in again["reviews"]] == [True]
    assert [decision["verdict"] for decision in again["decisions"]] == ["flag", "approve"]


def test_a_second_screening_never_overrules_a_human(client: Client, moderator: Caller) -> None:
    comment = posted(client, email="ann@nowhere.test")
    screen_all()
    moderator.decide(comment, "reject")
    screening.screen_now([comment])
    assert moderator.record(comment)["status"] == "rejected"
    with reading() as session:
        assert session.execute(select(Comment.screen_due)).scalar() is None


def test_a_screening_that_was_overtaken_changes_nothing(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = posted(client)
    examine, others = screening.examine, [comment]

    def overtaken(*arguments: Any) -> Any:
        if others:
            screening.screen_now([others.pop()])
        return examine(*arguments)

    monkeypatch.setattr(screening, "examine", overtaken)
    assert screening.screen_now([comment]) == []
    assert len(moderator.record(comment)["decisions"]) == 1
    assert len(moderator.events()) == 1


def test_a_comment_that_breaks_the_screening_goes_to_a_human(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, neighbour = posted(client, body="poison"), posted(client, body="A neighbour")
    settle = screening.settle

    def choke(session: Session, changes: list[Change]) -> object:
        if any(change.comment_id == poison and len(change.reasons) != 1 for change in changes):
            raise RuntimeError("cannot settle this")
        return settle(session, changes)

    monkeypatch.setattr(screening, "settle", choke)
    screening.screen_now([poison, neighbour])
    assert moderator.record(poison)["status"] == "flagged"
    assert moderator.record(neighbour)["status"] != "pending"


def test_a_comment_whose_row_cannot_be_read_holds_up_no_neighbour(
    client: Client, moderator: Caller
) -> None:
    broken, neighbour = posted(client, body="Broken"), posted(client, body="A neighbour")
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == broken).values(form={"unknown": 1}))
    screening.screen_now([broken, neighbour])
    assert moderator.record(broken)["status"] == "flagged"
    assert moderator.record(neighbour)["status"] != "pending"


def test_expired_data_is_deleted(client: Client) -> None:
    posted(client, body="Long enough a text to leave fingerprints of what it says behind it.")
    screen_all()
    with reading() as session:
        assert session.execute(select(Fingerprint.band)).first() is not None
        assert session.execute(select(AddressKey.day)).first() is not None
    sweep.tidy(now() + timedelta(days=3))
    with reading() as session:
        assert session.execute(select(Fingerprint.band)).first() is None
        assert session.execute(select(AddressKey.day)).first() is None


def test_an_expired_link_leaves_no_row(data: object) -> None:
    tickets.invite("ann@paper.example", "demo", "viewer", by="x")
    for days, left in ((6, 1), (8, 0)):
        sweep.tidy(now() + timedelta(days=days))
        with reading() as session:
            assert len(session.scalars(select(Ticket)).all()) == left


def test_a_worker_says_it_is_alive(client: Client) -> None:
    sweep._beat("worker-screen@here", swept=True)
    sweep._beat("worker-screen@here", swept=False)
    with reading() as session:
        beat = session.execute(select(Heartbeat)).scalar_one()
    assert beat.swept_at is not None
    assert beat.at >= beat.swept_at


def test_a_thread_that_was_closed_is_published_by_the_sweep(
    client: Client, moderator: Caller
) -> None:
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})
    with time_machine.travel(now() + timedelta(seconds=4)):
        sweep.sweep()
    assert moderator.page()["state"] == "closed"
    with reading() as session:
        assert session.execute(select(Thread.publish_due)).scalar() is None


def _sealed(email: str) -> bytes:
    from models.store.secrets import encrypt_email

    return encrypt_email(email)


def _fine(batch: Sequence[Candidate]) -> list[Evidence]:
    return [Evidence(check="spam", outcome=Outcome.CLEAR, detail="fine", score=0.01) for _ in batch]
