"""Processor time of one call, and how it grows with the text. Only ratios within one run mean
anything.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from math import log
from time import thread_time
from typing import Any, NamedTuple

PACKAGES = ("service", "worker", "models")
REPEATS, ATTEMPTS = 3, 3
LITTLE = 0.0002  # seconds: so short a call is of no interest, and no clock tells its growth
LEAST_SECONDS = (
    0.0005  # a shorter call is repeated until it took this long: the clock has its own noise
)
# Twice n log n over a fourfold text still is less than n**1.7 makes of it, and far less than the 16
# of a square.
TOLERANCE = 2.0


class Growth(NamedTuple):
    """The seconds that one text took, and those of the text of the same kind that is four times as
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
    """The least processor time of some calls, each with nothing remembered of earlier texts.

    After a call that took more than `enough` there is no second one.
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
    """The cheapest of a few calls: whatever else the machine does can only add to a call."""
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
    """How much more `function` costs on the family's text of `length` characters than on a quarter
    of it.

    Measured again if it is too much, as the machine may have been busy with something else; the
    least ratio counts. A quarter that takes more than `enough` seconds is too much already.
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
    """Empty what the packages remember of texts, so that no second call is for nothing. What is
    made once for all texts (`functools.cache`: parsers, models) stays.
    """
    for cached in list(_remembering()):
        cached.cache_clear()


def _remembering() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES and name not in _CACHES:
            _CACHES[name] = [
                value
                for value in vars(module).values()
                if isinstance(value, _lru_cache_wrapper)
                and value.cache_parameters()["maxsize"] is not None
            ]
    for caches in _CACHES.values():
        yield from caches


_CACHES: dict[str, list[Any]] = {}
