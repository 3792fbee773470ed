"""Who makes decisions, and how the database names them."""

from __future__ import annotations

import pytest

from models.settling.actor import POLICY, Actor, Kind


@pytest.mark.parametrize(
    ("actor", "stored"),
    [
        (POLICY, "policy"),
        (Actor.moderator("018f-1"), "moderator:018f-1"),
        (Actor.key("a:b"), "key:a:b"),
    ],
)
def test_an_actor_is_stored_as_a_text_and_read_back_from_it(actor: Actor, stored: str) -> None:
    assert str(actor) == stored
    assert Actor.parse(stored) == actor


@pytest.mark.parametrize(
    "text", ["", "moderator", "key:", "policy:1", "the command line", "Policy"]
)
def test_a_text_that_names_no_actor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — enum and actor explain it each in their own words
        Actor.parse(text)


def test_a_program_with_a_key_counts_as_human_and_the_policy_does_not() -> None:
    assert Actor.key("1").is_human
    assert Actor.moderator("1").is_human
    assert not POLICY.is_human


def test_equal_actors_are_one_member_of_a_set() -> None:
    assert {Actor.parse("moderator:1"), Actor(Kind.MODERATOR, "1")} == {Actor.moderator("1")}
