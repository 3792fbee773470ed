"""The estimators of quality: each from its own answers, with intervals that hold."""

from __future__ import annotations

import pytest

from models.judgement.promises import interval
from models.judgement.quality import (
    Answer,
    Judged,
    Queue,
    Stratum,
    good_held,
    good_rejected,
    wrongly_held,
    wrongly_passed,
    wrongly_rejected,
)


def stratum(share: float, comments: int, *, good: int = 0, bad: int = 0) -> Stratum:
    """Return a stratum whose draws are spread evenly below its share."""
    verdicts = [True] * good + [False] * bad
    draws = (share * number / len(verdicts) for number in range(len(verdicts)))
    return Stratum(
        share,
        comments,
        [Answer(verdict, draw) for verdict, draw in zip(verdicts, draws, strict=True)],
    )


def test_wrongly_passed_is_the_exact_interval_of_the_blind_answers() -> None:
    assert wrongly_passed([stratum(0.05, 6000, good=298, bad=2)]) == interval(2, 300)


def test_wrongly_rejected_counts_the_good_ones() -> None:
    assert wrongly_rejected([stratum(0.05, 600, good=1, bad=29)]) == interval(1, 30)


def test_a_queue_that_is_done_gives_the_exact_interval() -> None:
    assert wrongly_held(Queue(412, 412, 25)) == interval(25, 412)


def test_comments_that_still_wait_widen_the_interval() -> None:
    done, waiting = wrongly_held(Queue(412, 412, 25)), wrongly_held(Queue(512, 412, 25))
    assert waiting.share == done.share
    assert waiting.low == pytest.approx(done.low * 412 / 512, abs=1e-5)
    assert waiting.high == pytest.approx((done.high * 412 + 100) / 512, abs=1e-5)


def test_without_answers_everything_is_possible() -> None:
    assert wrongly_passed([]) == interval(0, 0)
    assert wrongly_held(Queue(9, 0, 0)) == interval(0, 0)
    nothing = Judged([stratum(0.01, 100)], Queue(9, 0, 0), [])
    assert good_held(nothing) == (None, 0.0, 1.0)


def test_the_share_of_all_good_comments_combines_the_groups() -> None:
    live = [stratum(0.05, 6000, good=298, bad=2)]
    share, low, high = good_held(Judged(live, Queue(420, 420, 25), []))
    assert share == pytest.approx(25 / (25 + 6000 * 298 / 300), abs=1e-5)
    assert low < 25 / 6025
    assert 25 / (25 + 5857) < high < 0.008


def test_a_group_without_comments_adds_nothing() -> None:
    live = [stratum(0.05, 6000, good=300)]
    assert good_rejected(Judged(live, Queue(420, 420, 25), [])) == (0.0, 0.0, 0.0)


def test_rejections_without_answers_only_widen_the_share_held() -> None:
    live, queue = [stratum(0.05, 6000, good=300)], Queue(420, 420, 25)
    without = good_held(Judged(live, queue, []))
    with_some = good_held(Judged(live, queue, [stratum(0.05, 600)]))
    assert with_some.low < without.low
    assert with_some.high == without.high


def test_the_checks_of_a_queue_share_one_denominator() -> None:
    live = [stratum(0.05, 600, good=60)]
    alone = good_held(Judged(live, Queue(100, 100, 50), []))
    beside = good_held(Judged(live, Queue(100, 100, 50), [], Queue(400, 400, 400)))
    assert beside.high < alone.high


def test_comments_from_before_the_sample_are_not_covered_by_it() -> None:
    covered, before = stratum(0.05, 600, good=60), Stratum(0, 6000)
    assert wrongly_passed([covered, before]) == wrongly_passed([covered])
    known = good_held(Judged([covered], Queue(40, 40, 20), []))
    partly = good_held(Judged([covered, before], Queue(40, 40, 20), []))
    assert partly.low < known.low
    assert partly.high == known.high


def test_many_answers_of_a_month_with_a_large_sample_do_not_stand_for_all_months() -> None:
    """In the small sample half of the answers are bad, in the large one none: the truth is near
    one half of the months' mean, not near the mean of all answers.
    """
    strata = [stratum(0.01, 5000, good=25, bad=25), stratum(0.2, 5000, good=1000)]
    found = wrongly_passed(strata)
    assert found.low <= 0.25 <= found.high
    assert interval(25, 1050).high < 0.04


def test_an_even_sample_is_used_if_it_says_more() -> None:
    """The lowest share would have drawn 5 of the 100 comments of the large sample."""
    strata = [stratum(0.01, 20_000, good=200), stratum(0.2, 500, good=100)]
    assert wrongly_passed(strata).of == 205


def test_a_weighted_sample_is_used_if_it_says_more() -> None:
    strata = [stratum(0.01, 100, good=3), stratum(0.2, 5000, good=1000)]
    found = wrongly_passed(strata)
    assert found.of == 1003
    assert found.high < 0.03
