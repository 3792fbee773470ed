"""The newest comments of a site, and how many of them a score flags."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from models.classifier.model import base_model
from models.classifier.site_model import Seen
from models.records import Comment, DecisionRecord, Site
from models.store.database import begin, now, reading
from tests.worker.learning.stored import add_comment, add_screening, demo
from worker.learning import recent
from worker.learning.recent import (
    Comments,
    Recent,
    comments_since,
    place_of,
    recent_comments,
    slices,
    unseen_comments,
)

pytestmark = pytest.mark.usefixtures("data")


NOTHING = Recent(Comments([], [], []), 0.0)


def seen() -> list[Seen]:
    """Return the newest comments as a site's model sees them."""
    with reading() as session:
        return found().comments.seen(base_model(), place_of(session, demo().id))


def found() -> Recent:
    with reading() as session:
        return recent_comments(session, demo().id)


def test_a_site_without_comments_has_none_per_day() -> None:
    assert found() == NOTHING


def test_decided_comments_count_the_oldest_first() -> None:
    for status in ("approved", "pending", "rejected", "deleted", "flagged"):
        add_comment(f"It is {status}.", status=status)

    assert [text for text, _ in found().comments.texts] == [
        "It is approved.",
        "It is rejected.",
        "It is flagged.",
    ]


def test_of_many_the_newest_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST", 3)
    for number in range(5):
        add_comment(f"Number {number}.", status="approved" if number % 2 else "rejected")

    assert [text for text, _ in found().comments.texts] == ["Number 2.", "Number 3.", "Number 4."]


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

    first, second = seen()

    assert first.base == pytest.approx(base_model().log_odds(["Check out my channel!"])[0])
    assert first.context == {"links away": 2}
    assert (second.base, second.context) == (None, {})


def test_a_link_to_the_site_itself_does_not_count_as_leading_away() -> None:
    text = "See https://paper.example/2026/harbour for it."
    add_comment(text, language="en")

    with reading() as session:
        place = place_of(session, demo().id)

    assert seen()[0].base == pytest.approx(base_model().log_odds([text], [place])[0])
    assert seen()[0].base != pytest.approx(base_model().log_odds([text])[0])


def test_another_sites_comments_are_not_taken() -> None:
    add_comment("Of demo.")
    with begin() as session:
        other = Site(key="other", origins=[])
        session.add(other)
        session.flush()
        assert recent_comments(session, other.id) == NOTHING


def test_ids_are_asked_for_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "AT_ONCE", 2)

    assert slices(["a", "b", "c", "d", "e"]) == [["a", "b"], ["c", "d"], ["e"]]
    assert slices([]) == []


def test_only_what_went_live_without_a_human_is_unseen() -> None:
    unseen, decided = add_comment("Unseen."), add_comment("Decided.")
    add_comment("Held.", status="flagged")
    with begin() as session:
        for comment, by in ((unseen, "policy"), (decided, "moderator:1")):
            row = {"comment_id": comment, "site_id": demo().id, "by": by, "verdict": "approve"}
            more = {"was": "pending", "becomes": "approved", "version": 2, "reasons": []}
            session.add(DecisionRecord(**row, **more))
    with reading() as session:
        assert unseen_comments(session, demo().id).ids == [unseen]


def test_the_first_comments_since_a_moment_are_taken() -> None:
    add_comment("Before.")
    since = now()
    later = [add_comment("After.", status=status) for status in ("flagged", "approved", "rejected")]
    add_comment("It waits for its screening.", status="pending")

    with reading() as session:
        assert comments_since(session, demo().id, since, most=2).ids == later[:2]
        assert comments_since(session, demo().id, since, most=9).ids == later
