"""Thresholds from a site's labels keep the owner's promise, or say why they can't yet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.judgement.promises import Scores, fewest, fit, interval, keep, most_allowed


def promising(one_in: int | None = 200, reviews: int | None = None, **spam: Any) -> Policy:
    wanted = {"good_held_back_one_in": one_in, "reviews_a_day": reviews}
    return Policy.model_validate({"promises": wanted, "spam": spam})


def verdict(score: float, policy: Policy, scores: Scores | None) -> Verdict | None:
    found = Evidence(check="spam", outcome=Outcome.FOUND, detail="spam", score=score)
    return decide([found], keep(policy, fit(policy, scores))).verdict


def spread(count: int, upto: float = 0.4) -> list[float]:
    return [round(upto * n / count, 4) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "of"), [(0, 1), (0, 737), (3, 900), (17, 20), (20, 20), (2500, 5000), (4999, 5000)]
)
def test_the_interval_is_clopper_and_pearsons(count: int, of: int) -> None:
    exact = binomtest(count, of).proportion_ci(confidence_level=0.95, method="exact")
    ours = interval(count, of)
    assert (ours.low, ours.high) == (
        pytest.approx(exact.low, abs=2e-5),
        pytest.approx(exact.high, abs=2e-5),
    )


def test_the_interval_of_no_comments_is_everything() -> None:
    assert interval(0, 0) == (0, 0, None, 0.0, 1.0)


@settings(deadline=None, max_examples=60)
@given(of=st.integers(10, 3000), one_in=st.integers(10, 500))
def test_most_allowed_is_the_highest_number_that_keeps_the_promise(of: int, one_in: int) -> None:
    allowed = most_allowed(of, one_in)
    if allowed is None:
        assert of < fewest(one_in)
        assert binomtest(0, of).proportion_ci(method="exact").high > 1 / one_in
        return
    assert binomtest(allowed, of).proportion_ci(method="exact").high <= 1 / one_in + 1e-9
    assert binomtest(allowed + 1, of).proportion_ci(method="exact").high > 1 / one_in


def test_without_a_promise_the_thresholds_by_hand_count() -> None:
    policy = promising(None, flag_above=0.6, reject_above=0.97)
    assert fit(policy, Scores(spread(2000))) is None
    assert keep(policy, None) is policy


def test_rejection_is_off_until_there_are_enough_good_comments_to_be_sure() -> None:
    policy = promising(200, reject_above=0.8)
    few = fit(policy, Scores(good=spread(735), spam=[0.95] * 300))
    assert few is not None
    assert (few.flag_above, few.reject_above) == (0.5, None)
    assert few.why == (
        (
            "automatic rejection is off: it needs 736 good comments to keep the limit of 1 in 200, "
            "and 735 have been decided"
        ),
    )
    assert verdict(0.99, policy, Scores(good=spread(735))) is Verdict.FLAG
    enough = fit(policy, Scores(good=spread(736), spam=[0.95] * 300))
    assert enough is not None
    assert (enough.reject_above, enough.why) == (0.9, ())
    assert enough.held_back.high <= 1 / 200
    assert (enough.caught.share, enough.caught.of) == (1.0, 300)
    assert verdict(0.99, policy, Scores(good=spread(736))) is Verdict.REJECT
    assert verdict(0.7, policy, Scores(good=spread(736))) is Verdict.FLAG


@pytest.mark.parametrize(
    ("by_hand", "why"),
    [
        (None, ("automatic rejection is off: no limit is set for good comments held back",)),
        (0.98, ()),  # the score set by hand applies
    ],
)
def test_without_the_first_promise_only_a_score_by_hand_rejects(
    by_hand: float | None, why: tuple[str, ...]
) -> None:
    fitted = fit(promising(None, reviews=20, reject_above=by_hand), Scores(good=spread(2000)))
    assert fitted is not None
    assert (fitted.reject_above, fitted.why) == (by_hand, why)


def test_a_site_without_a_model_of_its_own_rejects_nothing_by_its_score() -> None:
    fitted = fit(promising(), None)
    assert fitted is not None
    assert (fitted.reject_above, fitted.held_back.share) == (None, None)
    assert "does not have its own model" in fitted.why[0]


def test_thresholds_rise_until_the_promise_is_kept() -> None:
    good = sorted([*spread(2000), *[0.7] * 30, *[0.95] * 3])
    fitted = fit(promising(200), Scores(good=good))
    assert fitted is not None
    assert (fitted.flag_above, fitted.flag_above_with_hint) == (0.7001, 0.7001)
    assert (fitted.held_back.wrong, fitted.held_back.high <= 1 / 200) == (3, True)


@settings(deadline=None, max_examples=60)
@given(
    good=st.lists(st.floats(0, 0.9999), min_size=40, max_size=400),
    one_in=st.integers(10, 60),
    recent=st.lists(st.floats(0, 0.9999), max_size=100),
    reviews=st.none() | st.integers(1, 50),
)
def test_automatic_rejection_keeps_its_promise_with_any_labels(
    good: list[float], one_in: int, recent: list[float], reviews: int | None
) -> None:
    rounded = sorted(round(min(score, 0.9999), 4) for score in good)
    scores = Scores(rounded, [], sorted(round(min(score, 0.9999), 4) for score in recent), 80.0)
    fitted = fit(promising(one_in, reviews), scores)
    assert fitted is not None
    if fitted.reject_above is not None:
        assert fitted.held_back.high <= 1 / one_in + 1e-5
        assert fitted.reject_above >= fitted.flag_above >= 0.5


def test_more_reviews_than_wanted_are_spared_by_rejecting_the_surest() -> None:
    scores = Scores(
        good=spread(1000),
        spam=[0.95] * 10,
        recent=[0.1] * 60 + [0.6] * 20 + [0.8] * 20,
        comments_a_day=100,
    )
    free = fit(promising(200), scores)
    limited = fit(promising(200, reviews=25), scores)
    assert free is not None
    assert limited is not None
    assert (free.reject_above, free.reviews_a_day) == (0.9, 40)
    assert (limited.flag_above, limited.reject_above, limited.reviews_a_day) == (0.5, 0.8, 20)


def test_without_automatic_rejection_the_owner_learns_that_more_reviews_come() -> None:
    scores = Scores(good=spread(50), recent=[0.1] * 50 + [0.8] * 50, comments_a_day=100)
    fitted = fit(promising(200, reviews=10), scores)
    assert fitted is not None
    assert (fitted.flag_above, fitted.reject_above) == (0.5, None)
    assert fitted.why[-1] == "expect about 50 reviews a day, more than your limit of 10"
