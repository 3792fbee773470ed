"""A simulated site's truth lies inside the intervals; `python -m bench.quality` tries thousands."""

from __future__ import annotations

from bench.quality import coverage


def test_the_truth_is_inside_at_least_93_of_100_intervals() -> None:
    assert min(coverage(400, seed=2026).values()) >= 0.93
