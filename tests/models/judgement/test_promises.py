"""Thresholds from a site's labels keep the owner's promise, or say why they can't yet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from models.judgement import promises
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import AbusePolicy, Policy, Verdict, decide
from models.judgement.promises import (
    Fitted,
    Scores,
    fewest,
    interval,
    keep,
    most_allowed,
    side_by_side,
)
from models.judgement.scores import ABUSE, SPAM


def promising(one_in: int | None = 200, reviews: int | None = None, **spam: Any) -> Policy:
    wanted = {"good_held_back_one_in": one_in, "reviews_a_day": reviews}
    return Policy.model_validate({"promises": wanted, "spam": spam})


def fit(policy: Policy, scores: Scores | None) -> Fitted | None:
    """Fit the thresholds of a site with a model of its own for the spam score only."""
    return promises.fit(policy, {SPAM: scores} if scores else None)


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


def named(scores: Scores) -> Scores:
    """Return the same scores, with an id for each comment: the n-th has the number n."""
    return scores._replace(
        good_ids=[f"good {at}" for at in range(len(scores.good))],
        recent_ids=[f"recent {at}" for at in range(len(scores.recent))],
    )


def apart(scores: Scores) -> Scores:
    """Return the same, as if the largest scores belonged to other comments."""
    return named(scores)._replace(
        good_ids=[f"good {at}" for at in reversed(range(len(scores.good)))]
    )


def held(fitted: Fitted, known: dict[str, Scores]) -> int:
    """Count the good comments that one of the scores holds at the fitted thresholds."""
    good = side_by_side(known, "good")
    spam, abuse = good.by[SPAM], good.by[ABUSE]
    limits = fitted.flag_above, fitted.abuse.flag_above
    return sum(
        one >= limits[0] or other >= limits[1] for one, other in zip(spam, abuse, strict=True)
    )


def test_two_models_that_hold_different_comments_keep_the_promise_together() -> None:
    scores = Scores(good=sorted([*spread(1997), 0.6, 0.7, 0.8]))
    allowed = most_allowed(2000, 200)
    assert allowed == 3  # each model alone holds just as many as it may
    both = {SPAM: named(scores), ABUSE: apart(scores)}
    for alone in ({SPAM: both[SPAM]}, {ABUSE: both[ABUSE]}):
        fitted = promises.fit(promising(200), alone)
        assert fitted is not None
        assert fitted.held_back.wrong == 3
    fitted = promises.fit(promising(200), both)
    assert fitted is not None
    assert (fitted.flag_above, fitted.abuse.flag_above) == (0.7001, 0.7001)
    assert held(fitted, both) == fitted.held_back.wrong == 2
    assert (fitted.abuse.held_back.wrong, fitted.held_back.high <= 1 / 200) == (1, True)
    kept = keep(promising(200), fitted)
    assert (kept.spam.flag_above, kept.abuse.flag_above) == (0.7001, 0.7001)


def test_two_models_that_hold_the_same_comments_cost_no_more_than_one() -> None:
    scores = named(Scores(good=sorted([*spread(1997), 0.6, 0.7, 0.8])))
    fitted = promises.fit(promising(200), {SPAM: scores, ABUSE: scores})
    assert fitted is not None
    assert (fitted.flag_above, fitted.abuse.flag_above, fitted.held_back.wrong) == (0.5, 0.5, 3)


@settings(deadline=None, max_examples=60)
@given(
    spam=st.lists(st.floats(0, 0.9999), min_size=60, max_size=60),
    abuse=st.lists(st.floats(0, 0.9999), min_size=60, max_size=60),
    one_in=st.integers(10, 20),
    by_hand=st.floats(0, 1),
)
def test_all_scores_together_keep_the_promise_with_any_labels(
    spam: list[float], abuse: list[float], one_in: int, by_hand: float
) -> None:
    known = {
        SPAM: named(Scores(sorted(round(score, 4) for score in spam))),
        ABUSE: apart(Scores(sorted(round(score, 4) for score in abuse))),
    }
    policy = promising(one_in).model_copy(update={"abuse": AbusePolicy(flag_above=by_hand)})
    fitted = promises.fit(policy, known)
    assert fitted is not None
    allowed = most_allowed(60, one_in)
    if allowed is not None:
        assert held(fitted, known) == fitted.held_back.wrong <= allowed
        assert fitted.abuse.flag_above >= by_hand


def test_the_base_model_stands_in_for_a_score_without_a_model_of_its_own() -> None:
    abuse: list[float | None] = [None, *spread(1996), 0.9, 0.9, 0.9]
    others = {ABUSE: {"good": abuse, "recent": [0.9, 0.1]}}
    scores = named(Scores(spread(2000), recent=[0.1, 0.2], comments_a_day=10))
    without, fitted = (
        promises.fit(promising(200), {SPAM: each})
        for each in (scores, scores._replace(others=others))
    )
    assert without is not None
    assert fitted is not None
    assert (without.abuse.flag_above, without.abuse.held_back.of) == (0.5, 0)
    assert (fitted.abuse.flag_above, fitted.abuse.held_back[:2]) == (0.5, (3, 1999))
    assert (without.reviews_a_day, fitted.reviews_a_day) == (0, 5)
    strict = promises.fit(promising(400), {SPAM: scores._replace(others=others)})
    assert strict is not None
    assert (strict.abuse.flag_above, strict.held_back.wrong) == (0.9001, 0)


def test_only_comments_that_both_models_have_scored_count() -> None:
    spam = named(Scores(good=spread(900)))
    abuse = Scores(good=spread(800), good_ids=spam.good_ids[:800])
    assert side_by_side({SPAM: spam, ABUSE: abuse}, "good").comments == 800


def test_scores_that_an_earlier_release_stored_are_counted_as_different_comments() -> None:
    old = Scores.of({"good": [*spread(1997), 0.6, 0.7, 0.8], "spam": [0.95]})
    assert (old.good_ids, old.others) == ((), {})
    new = named(Scores(good=[*spread(1997), 0.6, 0.7, 0.8]))
    fitted = promises.fit(promising(200), {SPAM: old, ABUSE: new})
    assert fitted is not None
    assert (fitted.flag_above, fitted.abuse.flag_above) == (0.7001, 0.7001)
    assert (fitted.held_back.wrong, fitted.held_back.of) == (2, 2000)


def test_rejecting_spam_spares_no_review_of_abuse() -> None:
    spam = [0.1] * 60 + [0.6] * 20 + [0.8] * 20
    abuse: list[float | None] = [0.9] * 10 + [0.1] * 90
    scores = named(Scores(spread(1000), recent=spam, comments_a_day=100))
    scores = scores._replace(others={ABUSE: {"good": [0.1] * 1000, "recent": abuse}})
    limited = promises.fit(promising(200, reviews=35), {SPAM: scores})
    assert limited is not None
    assert (limited.reject_above, limited.reviews_a_day, limited.why) == (0.8, 30, ())
    strict = promises.fit(promising(200, reviews=5), {SPAM: scores})
    assert strict is not None
    assert (strict.reject_above, strict.reviews_a_day) == (0.6, 10)
    assert strict.why == ("expect about 10 reviews a day, more than your limit of 5",)
