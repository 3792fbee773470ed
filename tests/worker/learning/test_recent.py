"""The newest comments of a site, and how many of them a score flags."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import update

from models.classifier.model import base_model
from models.classifier.site_card import Flags
from models.judgement.policy import Policy
from models.judgement.promises import STEP, Scores
from models.records import Comment, Site
from models.store.database import begin, now, reading
from tests.worker.learning.stored import add_comment, add_model, add_screening, change_demo, demo
from worker.learning import recent
from worker.learning.recent import (
    Recent,
    count_flags,
    place_of,
    recent_comments,
    slices,
    sorted_scores,
)

pytestmark = pytest.mark.usefixtures("data")


def found() -> Recent:
    with reading() as session:
        return recent_comments(session, demo().id, base_model())


def test_a_site_without_comments_has_none_per_day() -> None:
    assert found() == Recent([], 0.0)


def test_decided_comments_count_the_oldest_first() -> None:
    for status in ("approved", "pending", "rejected", "deleted", "flagged"):
        add_comment(f"It is {status}.", status=status)

    assert [seen.text for seen in found().seen] == [
        "It is approved.",
        "It is rejected.",
        "It is flagged.",
    ]


def test_of_many_the_newest_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST", 3)
    for number in range(5):
        add_comment(f"Number {number}.", status="approved" if number % 2 else "rejected")

    assert [seen.text for seen in found().seen] == ["Number 2.", "Number 3.", "Number 4."]


def test_the_rate_is_per_day_and_a_young_site_counts_as_a_day_old() -> None:
    add_comment("Today.")
    assert found().per_day == 1.0

    four_days_ago = now() - timedelta(days=4)
    with begin() as session:
        session.execute(update(Comment).values(at=four_days_ago))
    add_comment("Today, too.")
    assert found().per_day == pytest.approx(0.5, abs=0.01)


def test_they_are_seen_with_their_counts_and_the_base_models_opinion() -> None:
    english = add_comment("Check out my channel!", language="en")
    add_comment("Kapal feri terlambat lagi.", language="id")
    add_screening(english, {"links away": 2})

    first, second = found().seen

    assert first.base == pytest.approx(base_model().log_odds(["Check out my channel!"])[0])
    assert first.context == {"links away": 2}
    assert (second.base, second.context) == (None, {})


def test_a_link_to_the_site_itself_does_not_count_as_leading_away() -> None:
    text = "See https://paper.example/2026/harbour for it."
    add_comment(text, language="en")

    with reading() as session:
        place = place_of(session, demo().id)

    assert found().seen[0].base == pytest.approx(base_model().log_odds([text], [place])[0])
    assert found().seen[0].base != pytest.approx(base_model().log_odds([text])[0])


def test_another_sites_comments_are_not_taken() -> None:
    add_comment("Of demo.")
    with begin() as session:
        other = Site(key="other", origins=[])
        session.add(other)
        session.flush()
        assert recent_comments(session, other.id, base_model()) == Recent([], 0.0)


def test_ids_are_asked_for_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "AT_ONCE", 2)

    assert slices(["a", "b", "c", "d", "e"]) == [["a", "b"], ["c", "d"], ["e"]]
    assert slices([]) == []


def test_there_is_a_threshold_above_the_surest_score() -> None:
    assert sorted_scores(np.array([1.0, 0.25, 0.99999, 1e-9])) == [0.0, 0.25, 1 - STEP, 1 - STEP]


def flags(before: list[float], recent_now: list[float], champion: str | None = None) -> Flags:
    with reading() as session:
        return count_flags(
            session,
            demo().id,
            champion,
            before=np.array(before),
            scores=Scores(recent=recent_now),
        )


def test_flags_are_counted_by_the_threshold_set_by_hand() -> None:
    above = Policy().spam.flag_above

    assert flags([above, above - 0.1, 0.0], [0.0, above + 0.1, above]) == {
        "of": 3,
        "before": 1,
        "now": 2,
    }


def test_each_model_keeps_a_promise_with_its_own_threshold() -> None:
    """The champion gave .6 to half of the good comments, so it flags only what scores higher."""
    policy = Policy.model_validate({"promises": {"good_held_back_one_in": 20}})
    change_demo(policy=policy.model_dump(mode="json"))
    champion = add_model(b"", scores={"good": [0.1] * 100 + [0.6] * 100, "spam": [0.9] * 40})

    assert flags([0.55] * 4, [0.55] * 4, champion) == {"of": 4, "before": 0, "now": 4}
    assert flags([0.55] * 4, [0.55] * 4) == {"of": 4, "before": 4, "now": 4}
