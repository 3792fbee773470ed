"""Places of lines in small charts. The page draws them as SVG, which stretches to any width, so
every place is a number in 0–100. Charts repeat what a table or a sentence beside them says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from service.sites.quality import Learned, OfAllGood, Rate

FULL = 100.0


class Bar(NamedTuple):
    """An interval as a vertical line at `x`, from `low` up to `high`. `share` is the best guess. A
    month without enough reviews has no line.
    """

    name: str
    x: float
    low: float | None
    high: float | None
    share: float | None


class Bars(NamedTuple):
    """The bars, and the share at the top of the chart."""

    top: float
    bars: Sequence[Bar]

    @property
    def is_empty(self) -> bool:
        return all(bar.high is None for bar in self.bars)


class Line(NamedTuple):
    """A piece of a curve."""

    x1: float
    y1: float
    x2: float
    y2: float


class Curves(NamedTuple):
    """What one score learned: the share of rejected comments that its models found, and of approved
    ones that they would have held.
    """

    score: str
    first: Learned
    last: Learned
    found: Sequence[Line]
    held: Sequence[Line]


def bars(intervals: Iterable[tuple[str, Rate | OfAllGood]]) -> Bars:
    given = list(intervals)
    top = max((ends["high"] or 0.0 for _, ends in given), default=0.0) or 1.0
    return Bars(
        top,
        [
            Bar(
                name,
                FULL * (number + 0.5) / len(given),
                _height(ends["low"], top),
                _height(ends["high"], top),
                _height(ends["share"], top),
            )
            for number, (name, ends) in enumerate(given)
        ],
    )


def _height(share: float | None, top: float) -> float | None:
    """Return the distance from the top, in which SVG counts."""
    return None if share is None else round(FULL * (1 - share / top), 2)


def curves(models: Iterable[Learned]) -> list[Curves]:
    """Return the curves of each score that has learned more than once."""
    by_score = defaultdict[str, list[Learned]](list)
    for model in models:
        by_score[model["score"]].append(model)
    return [
        Curves(
            score,
            first=learned[0],
            last=learned[-1],
            found=_lines([model["rejected_found"] for model in learned]),
            held=_lines([model["approved_held"] for model in learned]),
        )
        for score, learned in by_score.items()
        if len(learned) > 1
    ]


def _lines(shares: Sequence[float]) -> list[Line]:
    points = [
        (round(FULL * number / (len(shares) - 1), 2), round(FULL * (1 - share), 2))
        for number, share in enumerate(shares)
    ]
    return [Line(*start, *end) for start, end in pairwise(points)]
