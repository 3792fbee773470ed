"""Measure the processor time of a call, and how it grows with the text. Only ratios within one run
mean anything.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from math import log
from time import thread_time
from typing import Any, NamedTuple

PACKAGES = ("service", "worker", "models")
REPEATS, ATTEMPTS = 3, 3
LITTLE = 0.0002  # seconds: a shorter call is of no interest, and no clock can measure its growth
LEAST_SECONDS = (
    0.0005  # a shorter call is repeated until it took this long, because the clock has noise
)
# Twice n log n over a text four times as long is still less than what n**1.7 gives, and far less
# than the 16 of n squared.
TOLERANCE = 2.0


class Growth(NamedTuple):
    """The seconds that one text took, and those of a text of the same kind that is four times as
    long.
    """

    small: float
    large: float
    length: int  # characters of the longer one

    @property
    def ratio(self) -> float:
        return self.large / max(self.small, 1e-9)

    @property
    def most(self) -> float:
        """The ratio of n log n, times the tolerance."""
        return TOLERANCE * 4 * log(max(self.length, 16)) / log(max(self.length / 4, 4))

    @property
    def is_bounded(self) -> bool:
        return self.large < LITTLE or self.ratio <= self.most


def seconds(
    work: Callable[[], object], *, repeats: int = REPEATS, enough: float = float("inf")
) -> float:
    """Return the lowest processor time of several calls, each without caches of earlier texts. If a
    call takes more than `enough`, it is the last one.
    """
    best = float("inf")
    is_on = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            best = min(best, _once(work))
            if best > enough:
                break
    finally:
        if is_on:
            gc.enable()
    return best


def _once(work: Callable[[], object]) -> float:
    """Return the cheapest of a few calls, because the machine's other work can only add to a
    call.
    """
    best, spent = float("inf"), 0.0
    for _ in range(20):
        forget()
        began = thread_time()
        work()
        took = thread_time() - began
        best, spent = min(best, took), spent + took
        if spent >= LEAST_SECONDS:
            break
    return best


def growth(
    function: Callable[[str], object],
    family: Callable[[int], str],
    length: int,
    *,
    enough: float = float("inf"),
) -> Growth:
    """Return how much more `function` costs on the family's text of `length` characters than on a
    quarter of it.

    A ratio that is too high is measured again, because the machine may have been busy; the lowest
    counts. A quarter that takes more than `enough` seconds is already too much.
    """
    small, large = family(length // 4), family(length)
    found: list[Growth] = []
    while len(found) < ATTEMPTS and not (found and found[-1].is_bounded):
        cost = seconds(lambda: function(small), enough=enough)
        if cost > enough:
            return Growth(cost, float("inf"), length)
        found.append(Growth(cost, seconds(lambda: function(large), enough=enough), length))
    return min(found, key=lambda each: each.ratio)


def forget() -> None:
    """Empty the caches of texts, so that no second call is free. Values that are made once for all
    texts (`functools.cache`: parsers, models) stay.
    """
    for cached in _caches(len(sys.modules)):
        cached.cache_clear()


@lru_cache(maxsize=1)
def _caches(_modules: int) -> list[Any]:
    """Return the caches of texts. They are looked for again when a module was imported since: to
    look takes longer than most of the calls that are measured.
    """
    return [
        value
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in PACKAGES
        for value in vars(module).values()
        if isinstance(value, _lru_cache_wrapper) and value.cache_parameters()["maxsize"] is not None
    ]
