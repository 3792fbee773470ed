"""Which decision on a comment stands, and which one came first in a conflict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.identifiers import new_id
from models.settling.actor import POLICY, Actor
from models.settling.erasing import erase
from models.settling.history import (
    Line,
    conflicts,
    human_decisions,
    standing,
    standing_decisions,
    standing_in_batches,
)
from models.store.database import begin, reading
from tests.caller import Client, posted
from tests.models.settling.deciding import ANN, BEN, decide, take_back

BY_ANN, BY_POLICY = str(ANN), str(POLICY)


def ids_of(*pages: Sequence[Line]) -> list[str]:
    return [entry.id for entry in standing(pages)]


def test_the_policys_decisions_do_not_stand() -> None:
    assert ids_of([Line("2", BY_ANN, None), Line("1", BY_POLICY, None)]) == ["2"]


def test_neither_an_undone_decision_nor_its_undo_stands() -> None:
    log = [Line("3", BY_ANN, "2"), Line("2", BY_ANN, None), Line("1", BY_ANN, None)]
    assert ids_of(log) == ["1"]


def test_an_undo_counts_wherever_it_is_in_a_page() -> None:
    """Two machines whose clocks differ give ids that sort the wrong way round."""
    assert ids_of([Line("2", BY_ANN, None), Line("1", BY_ANN, "2")]) == []


def test_an_undo_on_a_newer_page_counts_for_an_older_page() -> None:
    assert ids_of([Line("3", BY_ANN, "1")], [Line("2", BY_ANN, None), Line("1", BY_ANN, None)]) == [
        "2"
    ]


def test_older_pages_are_read_only_when_they_are_asked_for() -> None:
    read: list[int] = []

    def pages() -> Iterator[list[Line]]:
        for number in range(3):
            read.append(number)
            yield [Line(str(9 - number), BY_ANN, None)]

    assert next(standing(pages())).id == "9"
    assert read == [0]


def test_a_comment_has_the_latest_decision_that_was_not_undone(client: Client) -> None:
    first, second, third = (posted(client, body=f"The {n} ferry was late.") for n in range(3))
    rejected = decide(first, "reject")
    decide(first, "approve", by=BEN)
    take_back(first)
    decide(second, "approve", by=POLICY)
    decide(third, "flag", by=Actor.key("1"))
    take_back(third, by=BEN)
    with reading() as session:
        found = standing_decisions(session, [first, second, third])
    assert {comment: entry.id for comment, entry in found.items()} == {first: rejected}


def test_a_decision_after_an_undo_stands_again(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    take_back(comment)
    again = decide(comment, "reject", by=BEN)
    with reading() as session:
        assert standing_decisions(session, [comment])[comment].id == again


def test_human_decisions_hold_the_undone_ones_but_none_of_the_policys(client: Client) -> None:
    comment, quiet = posted(client), posted(client, body="It was on time today.")
    decide(comment, "approve", by=POLICY)
    rejected = decide(comment, "reject")
    undo = take_back(comment)
    with reading() as session:
        logs = human_decisions(session, [comment, quiet])
    assert {entry.id for entry in logs[comment]} == {rejected, undo}
    assert quiet not in logs


def test_a_batch_holds_its_decisions_that_nobody_undid(client: Client) -> None:
    one, two, other = (posted(client, body=f"The {n} ferry was late.") for n in range(3))
    batch, another = new_id(), new_id()
    kept = decide(one, "reject", batch=batch)
    decide(two, "reject", batch=batch)
    apart = decide(other, "reject", batch=another)
    take_back(two)
    with reading() as session:
        both = standing_in_batches(session, [batch, another])
        nothing = standing_in_batches(session, [])
    assert both == [(kept, batch, one), (apart, another, other)]
    assert nothing == []


def test_a_conflict_names_the_latest_decision_and_the_comment_as_it_is(
    client: Client,
) -> None:
    comment = posted(client)
    decide(comment, "approve", by=POLICY)
    rejected = decide(comment, "reject", by=BEN)
    with reading() as session:
        conflict = conflicts(session, [comment])[0]
    assert conflict.decision
    assert (conflict.decision.id, conflict.decision.by) == (rejected, str(BEN))
    assert (conflict.version, conflict.status, conflict.is_erased) == (3, "rejected", False)


def test_conflicts_are_answered_one_for_one(client: Client) -> None:
    waiting, erased, nowhere = posted(client), posted(client, body="Never again."), new_id()
    with begin() as session:
        erase(session, erased, by=ANN)
    with reading() as session:
        found = conflicts(session, [nowhere, erased, waiting])
        assert conflicts(session, []) == []
    assert [each.comment_id for each in found] == [nowhere, erased, waiting]
    assert [each.is_erased for each in found] == [True, True, False]
    assert [each.version for each in found] == [None, 2, 1]
    assert [each.decision is None for each in found] == [True, False, True]
