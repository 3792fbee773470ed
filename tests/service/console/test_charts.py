"""Places of lines in the charts of the quality page."""

from __future__ import annotations

from service.console.charts import Bar, Line, bars, curves
from service.sites.quality import Learned, Rate


def rate(low: float, share: float, high: float) -> Rate:
    return {"wrong": 1, "of": 99, "enough": True, "share": share, "low": low, "high": high}


def learned(score: str, *, found: float, held: float) -> Learned:
    return {
        "score": score,
        "version": "site-1",
        "made": "2026-03-01T09:30:00Z",
        "labels": 50,
        "rejected_found": found,
        "approved_held": held,
        "went_live": True,
    }


def test_the_highest_interval_reaches_the_top() -> None:
    few: Rate = {"wrong": 0, "of": 3, "enough": False, "share": None, "low": None, "high": None}
    chart = bars([("2026-01", rate(0.01, 0.02, 0.04)), ("2026-02", few)])
    assert chart.top == 0.04
    assert chart.bars == [
        Bar("2026-01", 25.0, 75.0, 0.0, 50.0),
        Bar("2026-02", 75.0, None, None, None),
    ]
    assert not chart.is_empty
    assert bars([("2026-02", few)]).is_empty


def test_each_score_that_learned_twice_has_a_curve() -> None:
    models = [
        learned("spam", found=0.7, held=0.1),
        learned("abuse", found=0.5, held=0.0),
        learned("spam", found=0.9, held=0.0),
    ]
    (spam,) = curves(models)
    assert spam.score == "spam"
    assert spam.found == [Line(0.0, 30.0, 100.0, 10.0)]
    assert spam.held == [Line(0.0, 90.0, 100.0, 100.0)]
