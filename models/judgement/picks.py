"""Which comments a moderator should label next, because their labels teach the site's models most.
Pure.

Most picks are those that the models are least certain about. One in five is drawn at random: the
others say nothing about how often the models are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil, inf, log
from random import Random
from typing import NamedTuple

SESSION = 20  # picks
RANDOM_SHARE = 0.2
_MOST_OF_A_THREAD = 0.25  # of the uncertain picks
_FEWEST_LANGUAGES = 4  # with more languages, each may still have a quarter of the uncertain picks
_SUREST = 1e-6  # a probability counts as no surer than this


class Choice(NamedTuple):
    """A comment that may be picked. `doubt` is how far it is from being held or passed, in
    log-odds: the less, the more uncertain. `group` is shared by comments that say nearly the same.
    """

    id: str
    doubt: float
    language: str
    thread: str
    group: str


class Pick(NamedTuple):
    """A picked comment. `propensity` is the chance that it had to be picked, or None if it was
    picked for its scores.
    """

    id: str
    propensity: float | None


def doubt(scores: Mapping[str, float | None], thresholds: Mapping[str, float]) -> float:
    """Return the distance of the score that is nearest to its threshold. A model without an
    opinion is as uncertain as can be.
    """
    distances = [
        0.0 if (score := scores[name]) is None else abs(_log_odds(score) - _log_odds(threshold))
        for name, threshold in thresholds.items()
        if name in scores
    ]
    return min(distances, default=inf)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _SUREST), 1 - _SUREST)
    return log(bounded / (1 - bounded))


def draw(choices: Sequence[Choice], count: int, chance: Random) -> list[Pick]:
    """Draw up to `count` picks, in an order that does not tell which are random.

    Of comments that say nearly the same, one may be picked, each with the same chance. Every group
    of them has the same chance to give one of the random picks.
    """
    groups = _groups(choices)
    ones = [chance.choice(group) for group in groups.values()]
    some = min(count, len(ones))
    by_chance = chance.sample(ones, _random_share(some, chance))
    picks = [Pick(one.id, len(by_chance) / len(ones) / len(groups[one.group])) for one in by_chance]
    left = [one for one in ones if one not in by_chance]
    uncertain = _most_uncertain(left, some - len(picks))
    picks += [Pick(one.id, None) for one in uncertain]
    chance.shuffle(picks)
    return picks


def _groups(choices: Sequence[Choice]) -> dict[str, list[Choice]]:
    groups: dict[str, list[Choice]] = {}
    for choice in choices:
        groups.setdefault(choice.group, []).append(choice)
    return groups


def _random_share(count: int, chance: Random) -> int:
    """Return a fifth of the count. The rest of the division is left to chance, so that small draws
    have their share of random picks, too.
    """
    whole, rest = divmod(count * RANDOM_SHARE, 1)
    return int(whole) + (chance.random() < rest)


def _most_uncertain(choices: Sequence[Choice], count: int) -> list[Choice]:
    """Return the most uncertain choices, spread over languages and threads. If that leaves places
    free, the next most uncertain ones take them.
    """
    languages = len({choice.language for choice in choices})
    of_a_language = ceil(count / max(1, min(languages, _FEWEST_LANGUAGES)))
    of_a_thread = ceil(count * _MOST_OF_A_THREAD)
    counts: Counter[tuple[str, str]] = Counter()
    spread: list[Choice] = []
    others: list[Choice] = []
    for choice in sorted(choices, key=lambda each: each.doubt):
        language, thread = ("language", choice.language), ("thread", choice.thread)
        if counts[language] < of_a_language and counts[thread] < of_a_thread:
            counts.update((language, thread))
            spread.append(choice)
        else:
            others.append(choice)
        if len(spread) == count:
            return spread
    return spread + others[: count - len(spread)]
