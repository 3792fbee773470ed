"""Measures what the teaching queue brings: a site's model after a hundred labels that the queue
chose, against a hundred in random order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from models.classifier.model import Floats, probability
from models.classifier.opinion import opinions
from models.classifier.place import Place
from models.classifier.site_model import Seen, SiteModel
from models.classifier.training import site_model
from models.classifier.training.base_model import Flags, Untrainable, train
from models.classifier.training.corpus import Row, deduplicated
from models.classifier.training.evaluation import Each
from models.classifier.training.figures import Figures, figures, mean
from models.classifier.training.parts import NEAR, pieces
from models.judgement.picks import SESSION, Choice, doubt, draw
from models.text.language import detect

LABELS = 100
_RUNS = 5
_FEWEST_ROWS = 1_000  # of a source: half of them are the test
_THRESHOLD = 0.5


class Gain(NamedTuple):
    """The mean figures on comments that nobody labelled: by the base model alone, after labels in
    random order, and after as many that the teaching queue chose. `unweighted` counts each of those
    once, as the labels in random order; `chosen` weighs them by their propensity, as a site does.
    """

    before: Figures
    by_chance: Figures
    chosen: Figures
    unweighted: Figures


class _Site(NamedTuple):
    """A corpus as if it were the comments of a site: each with its label and the base model's
    opinion, and the group of those that say nearly the same.
    """

    labels: list[site_model.Label]
    groups: list[str]

    def spam(self, numbers: Sequence[int]) -> Flags:
        return np.array([self.labels[number].bad for number in numbers], bool)


def gains(
    rows: Sequence[Row],
    sources: Collection[str],
    *,
    weights: Mapping[str, float] | None = None,
    each: Each = iter,
) -> dict[str, Gain]:
    """Return the gain on each of the sources, which is left out of the base model and then taught.
    Sources with few rows, or with labels of only one kind, are not measured.
    """
    kinds = Counter((row.source, row.spam) for row in rows)
    names = [
        name
        for name in dict.fromkeys(row.source for row in rows)
        if name in sources
        and min(kinds[name, True], kinds[name, False])
        and _size(kinds, name) >= _FEWEST_ROWS
    ]
    return {name: _gain(rows, name, weights) for name in each(names)}


def _size(kinds: Counter[tuple[str, bool]], name: str) -> int:
    return kinds[name, True] + kinds[name, False]


def _gain(rows: Sequence[Row], name: str, weights: Mapping[str, float] | None) -> Gain:
    site = _site(rows, name, weights)
    runs = [_run(site, seed) for seed in range(_RUNS)]
    return Gain(*(mean([run[way] for run in runs]) for way in range(len(Gain._fields))))


def _site(rows: Sequence[Row], name: str, weights: Mapping[str, float] | None) -> _Site:
    base = train([row for row in rows if row.source != name], weights).model
    own = deduplicated([row for row in rows if row.source == name])
    detected = detect([row.text for row in own])
    languages = [row.lang or found for row, found in zip(own, detected, strict=True)]
    thoughts = opinions(
        base, [(row.text, lang) for row, lang in zip(own, languages, strict=True)], Place()
    )
    labels = [
        site_model.Label(str(number), row.spam, lang, Seen(row.text, thought, {}))
        for number, (row, lang, thought) in enumerate(zip(own, languages, thoughts, strict=True))
    ]
    return _Site(labels, _groups([row.text for row in own]))


def _run(site: _Site, seed: int) -> Gain:
    """Divide the comments in halves: one to choose labels from, the other to test."""
    chance = Random(seed)  # noqa: S311 — a repeatable draw, not a secret
    order = list(range(len(site.labels)))
    chance.shuffle(order)
    pool, tested = order[: len(order) // 2], order[len(order) // 2 :]
    chosen = _chosen(site, pool, chance)
    return Gain(
        _figures(site, tested, None),
        _figures(site, tested, _taught(site, dict.fromkeys(pool[:LABELS]))),
        _figures(site, tested, _taught(site, chosen)),
        _figures(site, tested, _taught(site, dict.fromkeys(chosen))),
    )


def _chosen(site: _Site, pool: Sequence[int], chance: Random) -> dict[int, float | None]:
    """Label session after session, each chosen with the model of all labels before it. Return the
    propensity of each label.
    """
    known: dict[int, float | None] = {}
    while len(known) < LABELS:
        model = _taught(site, known)
        left = [number for number in pool if number not in known]
        scores = _scores(site, left, model)
        choices = [
            Choice(
                str(number),
                doubt({"spam": score}, {"spam": _THRESHOLD}),
                site.labels[number].language,
                str(number),  # a corpus does not know its pages
                site.groups[number],
            )
            for number, score in zip(left, scores, strict=True)
        ]
        picks = draw(choices, min(SESSION, LABELS - len(known)), chance)
        known |= {int(pick.id): pick.propensity for pick in picks}
    return known


def _taught(site: _Site, known: Mapping[int, float | None]) -> SiteModel | None:
    """Return the model of these labels and their propensities, or None while they are too few."""
    labels = [site.labels[number]._replace(propensity=known[number]) for number in known]
    try:
        return site_model.train(labels, base="", made="").model
    except Untrainable:
        return None


def _scores(site: _Site, numbers: Sequence[int], model: SiteModel | None) -> list[float | None]:
    seen = [site.labels[number].seen for number in numbers]
    if model:
        return list(model.probabilities(seen).tolist())
    return [None if each.base is None else float(probability(np.array(each.base))) for each in seen]


def _figures(site: _Site, tested: Sequence[int], model: SiteModel | None) -> Figures:
    seen = [site.labels[number].seen for number in tested]
    log_odds: Floats = (
        model.log_odds(seen) if model else np.array([each.base or 0.0 for each in seen], float)
    )
    return figures(site.spam(tested), log_odds)


def _groups(texts: Sequence[str]) -> list[str]:
    """Return for each text the number of the first one that is nearly the same."""
    pieces_of = [pieces(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)  # the first ones that each piece occurs in
    groups = []
    for number, own in enumerate(pieces_of):
        shared = Counter(other for piece in own for other in holders[piece])
        first = next(
            (
                other
                for other, both in sorted(shared.items())
                if both / (len(own) + len(pieces_of[other]) - both) >= NEAR
            ),
            number,
        )
        groups.append(str(first))
        if first == number:
            for piece in own:
                holders[piece].append(number)
    return groups
