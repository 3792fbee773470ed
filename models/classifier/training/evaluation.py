"""How well the model does on comments that it has not seen. Each function is one protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from models.classifier.context import COUNTS, EDITION, TAKEN, UNKNOWN
from models.classifier.model import Floats, LinearModel, probability
from models.classifier.place import Place, away
from models.classifier.site_model import Seen
from models.classifier.text import read
from models.classifier.training import site_model
from models.classifier.training.base_model import Flags, Pages, Untrainable, places, train
from models.classifier.training.corpus import Row, normalised
from models.classifier.training.figures import Figures, best_f1, figures
from models.classifier.training.parts import NEAR, near_duplicates, parts, pieces, similarity

Each: TypeAlias = Callable[[Iterable[str]], Iterable[str]]  # may show progress

_FIRST_PART = 0.7  # of each class trains, in the split of the YouTube collection's authors
_BINS = 10
_TAUGHT, _REFIT = 100, 25  # comments before a site's first model, and between two models


class Judged(NamedTuple):
    """Rows with the log-odds of models that had not seen their part. `near` marks near-duplicates
    of rows in other parts.
    """

    part: NDArray[np.str_]
    spam: Flags
    log_odds: Floats
    near: Flags

    @property
    def names(self) -> list[str]:
        """The parts, sorted."""
        return sorted(set(self.part.tolist()))


class LeftOut(NamedTuple):
    """The figures of a part that was left out of training, with and without its near-duplicates of
    the training rows.
    """

    name: str
    raw: Figures
    deduplicated: Figures


class Adapted(NamedTuple):
    """How a site's own model did on the comments after its first training. `false_positives` is
    the share of ham that it called spam.
    """

    figures: Figures
    false_positives: float


class Bin(NamedTuple):
    """Rows with similar probabilities: the mean probability, and the share that was spam."""

    said: float
    was: float
    rows: int


class Calibration(NamedTuple):
    """How accurate the probabilities are: Brier's score, and the mean gap between probability and
    share.
    """

    brier: float
    gap: float
    bins: tuple[Bin, ...]


def judge(
    rows: Sequence[Row],
    *,
    also: Sequence[Row] = (),
    weights: Mapping[str, float] | None = None,
    pages: Pages | None = None,
    each: Each = iter,
) -> Judged:
    """Score each part of the rows by a model of the other parts and of `also`. Raises
    Untrainable.
    """
    part = np.array(parts(rows))
    spam, scores = _spam(rows), np.zeros(len(rows))
    for name in each(sorted(set(part.tolist()))):
        out = part == name
        model = train([*_where(~out, rows), *also], weights, pages=pages).model
        scores[out] = _log_odds(model, _where(out, rows), pages)
    near = near_duplicates([row.text for row in rows], part.tolist())
    return Judged(part, spam, scores, near)


def leave_one_out(judged: Judged, *, best: bool = False) -> list[LeftOut]:
    """Return the figures of each part.

    `best` reports the highest F1 of all thresholds, not the F1 at 0.5, because other tools' scores
    have other scales.
    """
    results = []
    for name in judged.names:
        here = judged.part == name
        raw = _figures(judged, here, best=best)
        results.append(LeftOut(name, raw, _figures(judged, here & ~judged.near, best=best)))
    return results


def _figures(judged: Judged, which: Flags, *, best: bool) -> Figures:
    spam, scores = judged.spam[which], judged.log_odds[which]
    result = figures(spam, scores)
    return result._replace(f1=best_f1(spam, scores)) if best else result


def authors_split(
    rows: Sequence[Row], *, pooled: bool, pages: Pages | None = None, each: Each = iter
) -> dict[str, float]:
    """Return Matthews' correlation on the last 30 % of each class, by thread.

    The first 70 % train: those of the thread alone, or if `pooled`, those of all threads. This is
    the split of Alberto, Lochter & Almeida (2015). The best mean recorded on their collection is
    .906.
    """
    first = _first_parts(rows)
    threads = sorted({row.thread for row in rows if row.thread})
    shared = train(_where(first, rows), pages=pages).model if pooled and threads else None
    results = {}
    for name in each(threads):
        own = np.array([row.thread == name for row in rows])
        model = shared or train(_where(first & own, rows), pages=pages).model
        tested = _where(~first & own, rows)
        called = _log_odds(model, tested, pages) > 0
        results[name] = float(matthews_corrcoef([row.spam for row in tested], called))
    return results


def _first_parts(rows: Sequence[Row]) -> Flags:
    """Return whether each row is in the first 70 % of its class in its thread."""
    sizes = Counter((row.thread, row.spam) for row in rows)
    seen: Counter[tuple[str, bool]] = Counter()
    first = []
    for row in rows:
        kind = row.thread, row.spam
        seen[kind] += 1
        first.append(seen[kind] <= round(_FIRST_PART * sizes[kind]))
    return np.array(first, bool)


def adaptive(
    rows: Sequence[Row],
    judged: Judged,
    *,
    pages: Pages | None = None,
    in_time: bool = False,
    each: Each = iter,
) -> dict[str, Adapted]:
    """Treat each thread as a new site whose base model is `judged`'s model of the other threads.

    The first 100 rows teach the site's own model, in the order of the file or, if `in_time`, of
    their times. From then on, it judges 25 rows, learns their labels, and is trained again. Where
    it cannot be trained yet, the base model judges alone, as on a site.
    """
    results = {}
    for name in each(judged.names):
        order = np.flatnonzero(judged.part == name).tolist()
        if in_time:
            order.sort(key=lambda number: rows[number].at)
        labels = _labels([rows[number] for number in order], judged.log_odds[order], pages)
        if len(labels) > _TAUGHT:
            results[name] = _adapted(labels)
    return results


def _adapted(labels: Sequence[site_model.Label]) -> Adapted:
    scores = [
        _taught(labels[:start], labels[start : start + _REFIT])
        for start in range(_TAUGHT, len(labels), _REFIT)
    ]
    log_odds = np.concatenate(scores)
    spam = np.array([label.bad for label in labels[_TAUGHT:]], bool)
    false_positives = 0.0 if spam.all() else float((log_odds[~spam] > 0).mean())
    return Adapted(figures(spam, log_odds), false_positives)


def _taught(known: Sequence[site_model.Label], coming: Sequence[site_model.Label]) -> Floats:
    try:
        model = site_model.train(known, base="", made="").model
    except Untrainable:  # all of one kind so far
        return np.array([label.seen.base for label in coming], float)
    return model.log_odds([label.seen for label in coming])


def _labels(rows: Sequence[Row], base: Floats, pages: Pages | None) -> list[site_model.Label]:
    labels: list[site_model.Label] = []
    contexts = _contexts(rows, places(rows, pages))
    for row, opinion, context in zip(rows, base.tolist(), contexts, strict=True):
        seen = Seen(row.text, opinion, context)
        labels.append(site_model.Label(str(len(labels)), row.spam, row.lang, seen))
    return labels


def _contexts(rows: Sequence[Row], where: Sequence[Place | None]) -> Iterator[dict[str, int]]:
    """Yield the counts that a site's model sees. Those that a corpus does not know are unknown."""
    texts = [normalised(row.text) for row in rows]
    pieces_of = [pieces(row.text) for row in rows]
    for number, (row, place) in enumerate(zip(rows, where, strict=True)):
        same = texts[:number].count(texts[number])
        near = sum(similarity(pieces_of[number], other) >= NEAR for other in pieces_of[:number])
        yield {
            TAKEN: EDITION,
            **dict.fromkeys(COUNTS, UNKNOWN),
            "the same before": same,
            "nearly the same before": near - same,
            "links to this page": _links_to(place, row.text) if place else UNKNOWN,
        }


def _links_to(place: Place, text: str) -> int:
    tokens = read(text)
    return len(tokens) - len(away(text, tokens, place))


def across(
    rows: Sequence[Row],
    *,
    weights: Mapping[str, float] | None = None,
    pages: Pages | None = None,
    each: Each = iter,
) -> dict[str, Figures]:
    """Return the figures of each source, judged by a model of all others: it never saw a label of
    that kind of text.

    The models are not calibrated, because they cannot know how often such text is spam. A source
    with labels of only one kind is not judged.
    """
    sources = _sources_with_both_kinds(rows)
    results = {}
    for name in each(sources if len(sources) > 1 else []):
        out = np.array([row.source == name for row in rows])
        model = train(_where(~out, rows), weights, pages=pages, calibrated=False).model
        tested = _where(out, rows)
        results[name] = figures(_spam(tested), _log_odds(model, tested, pages))
    return results


def _sources_with_both_kinds(rows: Sequence[Row]) -> list[str]:
    kinds = {(row.source, row.spam) for row in rows}
    names = dict.fromkeys(row.source for row in rows)
    return [name for name in names if {(name, True), (name, False)} <= kinds]


def calibration(spam: Flags, log_odds: Floats) -> Calibration:
    """Measure how accurate the probabilities are, in ten bins of equal width."""
    said = probability(log_odds)
    number = np.minimum((said * _BINS).astype(int), _BINS - 1)
    bins = []
    for at in np.unique(number):
        here = number == at
        bins.append(Bin(float(said[here].mean()), float(spam[here].mean()), int(here.sum())))
    gap = sum(abs(each.said - each.was) * each.rows for each in bins) / max(1, len(spam))
    return Calibration(float(np.mean((said - spam) ** 2)), gap, tuple(bins))


def _spam(rows: Sequence[Row]) -> Flags:
    return np.array([row.spam for row in rows], bool)


def _log_odds(model: LinearModel, rows: Sequence[Row], pages: Pages | None) -> Floats:
    return model.log_odds([row.text for row in rows], places(rows, pages))


def _where(which: Flags, rows: Sequence[Row]) -> list[Row]:
    return [row for row, is_meant in zip(rows, which, strict=True) if is_meant]
