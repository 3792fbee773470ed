"""Simulate sites whose truth is known, and count how often the intervals of
models/judgement/quality.py contain it: `python -m bench.quality [SITES]`.

Each site has several months with different traffic, shares of the sample, and mistakes of the
machine. Moderators make no mistakes. They work the queue with the worst comments first and do not
finish it, so the judged part is not a random one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

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

SHARES = (0.02, 0.05, 0.1, 0.3)
LIVE_A_MONTH, HELD_A_MONTH, REJECTED_A_MONTH = (200, 900), (10, 120), (0, 60)
SITES = 5000


class Site(NamedTuple):
    """What the humans of a simulated site know, and the true share of each measure."""

    judged: Judged
    truth: dict[str, float]


def simulated(random: Random) -> Site:
    months = range(random.randint(1, 4))
    live_bad, held_good, rejected_good = (random.betavariate(1, most) for most in (30, 3, 10))
    live = [_month(random, LIVE_A_MONTH, good=1 - live_bad) for _ in months]
    rejected = [_month(random, REJECTED_A_MONTH, good=rejected_good) for _ in months]
    held = [random.random() < held_good for _ in months for _ in range(_size(random, HELD_A_MONTH))]
    truths = {
        name: [good for month in groups for good in month.truth]
        for name, groups in (("live", live), ("rejected", rejected))
    }
    good = {name: sum(values) for name, values in truths.items()} | {"held": sum(held)}
    truth = {
        "wrongly passed": 1 - good["live"] / len(truths["live"]),
        "wrongly held": good["held"] / len(held),
        "good held": good["held"] / max(1, sum(good.values())),
        "good rejected": good["rejected"] / max(1, sum(good.values())),
    }
    if truths["rejected"]:
        truth["wrongly rejected"] = good["rejected"] / len(truths["rejected"])
    judged = Judged(_strata(live), _queue(random, held), _strata(rejected))
    return Site(judged, truth)


class _Month(NamedTuple):
    share: float
    truth: list[bool]
    draws: list[float]


def _month(random: Random, size: tuple[int, int], *, good: float) -> _Month:
    """Return a month of comments. In some months the site is better or worse than in others."""
    here = min(1.0, max(0.0, good + random.gauss(0, 0.02)))
    truth = [random.random() < here for _ in range(_size(random, size))]
    return _Month(random.choice(SHARES), truth, [random.random() for _ in truth])


def _size(random: Random, size: tuple[int, int]) -> int:
    return random.randint(*size)


def _strata(months: list[_Month]) -> list[Stratum]:
    strata: dict[float, Stratum] = {}
    for month in months:
        pairs = zip(month.truth, month.draws, strict=True)
        drawn = tuple(Answer(good, draw) for good, draw in pairs if draw < month.share)
        old = strata.get(month.share, Stratum(month.share, 0))
        strata[month.share] = Stratum(
            month.share, old.comments + len(month.truth), (*old.answers, *drawn)
        )
    return list(strata.values())


def _queue(random: Random, held: list[bool]) -> Queue:
    """Return a queue that was worked from the worst comment on, but perhaps not to its end."""
    worst_first = sorted(held, key=lambda is_good: is_good + random.random())
    judged = round(len(held) * random.choice((1, 1, 0.95, 0.6)))
    return Queue(len(held), judged, sum(worst_first[:judged]))


def coverage(sites: int, seed: int) -> dict[str, float]:
    """Return for each measure the share of sites whose truth is inside the interval."""
    random, inside, seen = Random(seed), Counter[str](), Counter[str]()
    for _ in range(sites):
        for measure, is_inside in _inside(simulated(random)):
            seen[measure] += 1
            inside[measure] += is_inside
    return {measure: inside[measure] / count for measure, count in seen.items()}


def _inside(site: Site) -> Iterator[tuple[str, bool]]:
    ends = {
        "wrongly passed": wrongly_passed(site.judged.live),
        "wrongly held": wrongly_held(site.judged.held),
        "wrongly rejected": wrongly_rejected(site.judged.rejected),
        "good held": good_held(site.judged),
        "good rejected": good_rejected(site.judged),
    }
    for measure, truth in site.truth.items():
        # The ends are rounded to five digits.
        yield measure, ends[measure].low - 1e-5 <= truth <= ends[measure].high + 1e-5


def main() -> None:
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else SITES
    print(f"{sites:,} simulated sites; the intervals promise 95 %")
    for measure, share in coverage(sites, seed=14).items():
        print(f"{measure:18} {share:7.2%}")


if __name__ == "__main__":
    main()
