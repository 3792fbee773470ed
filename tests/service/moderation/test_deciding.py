"""Deciding many comments at once, and undoing exactly those decisions."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from models.identifiers import new_id
from models.records import Comment, DecisionRecord, Site
from models.settling.actor import Actor
from models.store.database import begin, reading
from service.http.problems import Problem
from service.moderation.deciding import (
    MOST_AT_ONCE,
    Outcome,
    Rulings,
    Seen,
    Undoings,
    check_all_are_of,
    decide_each,
    decisions_to_undo,
    sites_of,
    take_back_each,
)
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS

SOME_ID = "0190a0b0-0000-7000-8000-000000000000"

ANN, BEN = Actor.moderator(new_id()), Actor.moderator(new_id())


@pytest.fixture
def held(client: Client) -> list[str]:
    ids = [posted(client, body=f"{n} {LINKS}", email=f"r{n}@example.org") for n in range(3)]
    screen_all()
    return ids


def ruled(ids: list[str], verdict: str = "reject", **more: object) -> Outcome:
    items = [{"id": id_, "version": 2} for id_ in ids]
    asked = Rulings.model_validate({"verdict": verdict, "items": items, **more})
    with begin() as session:
        return decide_each(session, asked, by=ANN)


def statuses(*ids: str) -> list[str]:
    with reading() as session:
        return [session.get_one(Comment, id_).status for id_ in ids]


def decisions_of(*ids: str) -> list[str]:
    """Return each comment's latest decision."""
    log = select(DecisionRecord.comment_id, DecisionRecord.id).order_by(DecisionRecord.id)
    with reading() as session:
        latest = dict(session.execute(log).all())
    return [latest[id_] for id_ in ids]


def to_undo(**asked: object) -> dict[str, str]:
    with reading() as session:
        return decisions_to_undo(session, Undoings.model_validate(asked))


def test_a_comment_that_changed_is_refused_and_the_others_are_settled(
    moderator: Caller, held: list[str]
) -> None:
    moderator.decide(held[1], "approve")
    outcome = ruled(held, reason="spam")
    assert [settled.comment_id for settled in outcome.done] == [held[0], held[2]]
    assert outcome.refused == [held[1]]
    assert statuses(*held) == ["rejected", "approved", "rejected"]


def test_a_comment_that_is_named_twice_is_decided_once(held: list[str]) -> None:
    asked = Rulings(verdict="approve", items=[Seen(id=held[0]), Seen(id=held[0], version=2)])
    assert asked.versions() == {held[0]: 2}
    with begin() as session:
        assert len(decide_each(session, asked, by=ANN).done) == 1


def test_a_batch_is_undone_except_for_decisions_that_were_undone_already(held: list[str]) -> None:
    batch = new_id()
    ruled(held, batch=batch)
    wanted = to_undo(batch=batch)
    assert set(wanted) == set(held)
    with begin() as session:
        take_back_each(session, {held[0]: wanted[held[0]]}, by=ANN)
    assert set(to_undo(batch=batch)) == {held[1], held[2]}


def test_a_colleagues_later_decision_stays_and_is_reported(
    moderator: Caller, held: list[str]
) -> None:
    ruled(held)
    wanted = dict(zip(held, decisions_of(*held), strict=True))
    moderator.decide(held[1], "approve")
    with begin() as session:
        done, refused = take_back_each(session, wanted, by=BEN)
    assert [settled.comment_id for settled in done] == [held[0], held[2]]
    assert list(refused) == [held[1]]
    assert statuses(*held) == ["flagged", "approved", "flagged"]


def test_single_decisions_are_found_by_their_ids(held: list[str]) -> None:
    ruled(held)
    first, second = decisions_of(held[0], held[1])
    assert to_undo(decisions=[second, first]) == {held[1]: second, held[0]: first}
    unknown = new_id()
    with pytest.raises(Problem, match=f"no such decision: {unknown}") as refused:
        to_undo(decisions=[first, unknown])
    assert refused.value.status == 404


def test_an_unknown_batch_has_nothing_to_undo(data: object) -> None:
    assert to_undo(batch=new_id()) == {}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"batch": SOME_ID, "decisions": [SOME_ID]},
        {"batch": "x"},
        {"decisions": []},
        {"decisions": ["x"]},
        {"decisions": [SOME_ID] * (MOST_AT_ONCE + 1)},
    ],
)
def test_an_undo_names_a_batch_or_decisions(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Undoings.model_validate(asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"verdict": "delete", "items": [{"id": SOME_ID}]},
        {"verdict": "reject", "items": []},
        {"verdict": "reject", "items": [{"id": "x"}]},
        {"verdict": "reject", "reason": "boredom", "items": [{"id": SOME_ID}]},
        {"verdict": "reject", "note": "x" * 2001, "items": [{"id": SOME_ID}]},
        {"verdict": "reject", "items": [{"id": SOME_ID, "version": "2"}]},
    ],
)
def test_a_ruling_is_one_of_a_few_verdicts_on_known_comments(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rulings.model_validate(asked)


def test_every_comment_of_another_site_is_named(client: Client, held: list[str]) -> None:
    registering.add_site("other", ["https://other.example"])
    with reading() as session:
        ids = dict(session.execute(select(Site.key, Site.id)).all())
        unknown = new_id()
        assert sites_of(session, [*held, unknown]) == dict.fromkeys(held, ids["demo"])
        check_all_are_of(session, ids["demo"], held)
        with pytest.raises(Problem) as refused:
            check_all_are_of(session, ids["demo"], [held[0], unknown, held[1]])
        assert [error["field"] for error in refused.value.errors] == ["items.1.id"]
        with pytest.raises(Problem) as refused:
            check_all_are_of(session, ids["other"], held)
    assert [error["field"] for error in refused.value.errors] == [
        "items.0.id",
        "items.1.id",
        "items.2.id",
    ]
    assert refused.value.status == 404
