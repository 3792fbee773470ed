"""How well the recipe does on what it has not seen, and what a score costs. Each function is one
protocol.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from time import process_time
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from models.spam.context import COUNTS, EDITION, TAKEN, UNKNOWN
from models.spam.model import SpamModel, probability
from models.spam.place import away
from models.spam.site import Seen
from models.spam.text import read
from models.spam.training import site_model as site_training
from models.spam.training.base_model import Flags, Floats, Pages, Untrainable, places, train
from models.spam.training.corpus import Row, groups, normalised
from models.spam.training.figures import Figures, best_f1, figures

Each: TypeAlias = Callable[[Iterable[str]], Iterable[str]]

_MOST_THREADS = 20  # each is a training of its own
_GRAM = 5  # letters
_NEAR = 0.6  # Jaccard similarity from which a row is a near-duplicate
_FIRST_PART = 0.7  # of each class trains, in the split of the YouTube collection's authors
_BINS = 10
_TAUGHT, _REFIT = 100, 25  # comments


class Judged(NamedTuple):
    """Rows, and the log-odds of models that had not seen their part; `near` are near-duplicates of
    what they had.
    """

    part: NDArray[np.str_]
    spam: Flags
    log_odds: Floats
    near: Flags


class Unseen(NamedTuple):
    """One thread that was left out of training: all of it, and without near-duplicates of what was
    trained on.
    """

    name: str
    raw: Figures
    deduplicated: Figures


class Adapted(NamedTuple):
    """A site's own model on what came after it was taught; the share of ham that it called spam."""

    figures: Figures
    false_positives: float


class Calibration(NamedTuple):
    """Brier's score, the mean gap between what was said and what was so, and both in ten bins:
    (said, was, rows).
    """

    brier: float
    gap: float
    bins: tuple[tuple[float, float, int], ...]


class Cost(NamedTuple):
    """Milliseconds for a comment alone (median) and to load, comments a second in one batch, bytes
    of the file.
    """

    alone_ms: float
    load_ms: float
    per_second: float
    file_bytes: int


def judge(
    rows: Sequence[Row],
    *,
    also: Sequence[Row] = (),
    weights: Mapping[str, float] | None = None,
    pages: Pages | None = None,
    each: Each = iter,
) -> Judged:
    """Every row judged by a model of the other parts, see `parts`, and of what is in `also`. Raises
    Untrainable.
    """
    part = np.array(parts(rows))
    spam, scores = np.array([row.spam for row in rows], bool), np.zeros(len(rows))
    for name in each(sorted(set(part.tolist()))):
        out = part == name
        model = train([*_where(~out, rows), *also], weights, pages=pages).model
        scores[out] = _log_odds(model, _where(out, rows), pages)
    return Judged(part, spam, scores, near_duplicates([row.text for row in rows], part))


def leave_one_out(judged: Judged, *, best: bool = False) -> list[Unseen]:
    """The figures of each part. `best` takes F1 not at .5 but where it is highest, to be fair to
    others' scores.
    """
    results = []
    for name in sorted(set(judged.part.tolist())):
        here = judged.part == name
        raw, fresh = (
            _figures(judged, here, best=best),
            _figures(judged, here & ~judged.near, best=best),
        )
        results.append(Unseen(name, raw, fresh))
    return results


def _figures(judged: Judged, which: Flags, *, best: bool) -> Figures:
    spam, scores = judged.spam[which], judged.log_odds[which]
    found = figures(spam, scores)
    return found._replace(f1=best_f1(spam, scores)) if best else found


def authors_split(
    rows: Sequence[Row], *, pooled: bool, pages: Pages | None = None, each: Each = iter
) -> dict[str, float]:
    """By thread, Matthews' correlation on the last 30 % of each class. The first 70 % train: its
    own, or all threads'.

    It is the split of Alberto, Lochter & Almeida (2015), on whose collection the best recorded mean
    is .906.
    """
    first = _first_parts(rows)
    threads = sorted({row.thread for row in rows if row.thread})
    own = {name: np.array([row.thread == name for row in rows]) for name in threads}
    together = train(_where(first, rows), pages=pages).model if pooled and threads else None
    results = {}
    for name in each(threads):
        model = together or train(_where(first & own[name], rows), pages=pages).model
        tested = _where(~first & own[name], rows)
        results[name] = float(
            matthews_corrcoef([row.spam for row in tested], _log_odds(model, tested, pages) > 0)
        )
    return results


def _first_parts(rows: Sequence[Row]) -> Flags:
    sizes, seen = Counter((row.thread, row.spam) for row in rows), Counter[tuple[str, bool]]()
    first = []
    for row in rows:
        seen[row.thread, row.spam] += 1
        first.append(seen[row.thread, row.spam] <= round(_FIRST_PART * sizes[row.thread, row.spam]))
    return np.array(first, bool)


def adaptive(
    rows: Sequence[Row],
    judged: Judged,
    *,
    pages: Pages | None = None,
    in_time: bool = False,
    each: Each = iter,
) -> dict[str, Adapted]:
    """By thread, as if each were a new site with `judged`'s models of the other threads for a base.

    The first 100 rows teach the site's own model, in the order in which they stand or, `in_time`,
    were posted; from then on it judges 25, is told, and learns anew. Where it can't learn yet the
    base judges alone, as on a site.
    """
    results = {}
    for name in each(sorted(set(judged.part.tolist()))):
        which = np.flatnonzero(judged.part == name).tolist()
        if in_time:
            which.sort(key=lambda number: rows[number].at)
        labels = _labels([rows[number] for number in which], judged.log_odds[which], pages)
        spam = np.array([label.spam for label in labels], bool)
        starts = range(_TAUGHT, len(labels), _REFIT)
        if starts:
            scores = [_taught(labels[:at], labels[at : at + _REFIT]) for at in starts]
            results[name] = _adapted(spam[_TAUGHT:], np.concatenate(scores))
    return results


def _taught(known: Sequence[site_training.Label], coming: Sequence[site_training.Label]) -> Floats:
    try:
        model = site_training.train(known, base="", made="").model
    except Untrainable:  # all of one kind so far
        return np.array([label.seen.base for label in coming], float)
    return model.log_odds([label.seen for label in coming])


def _adapted(spam: Flags, log_odds: Floats) -> Adapted:
    return Adapted(
        figures(spam, log_odds), float((log_odds[~spam] > 0).mean()) if not spam.all() else 0.0
    )


def _labels(rows: Sequence[Row], base: Floats, pages: Pages | None) -> list[site_training.Label]:
    """Of the counts that a site's model is shown, those that a corpus knows; all others are
    unknown, not none.
    """
    texts = [normalised(row.text) for row in rows]
    pieces = [_pieces(row.text) for row in rows]
    where = places(rows, pages)
    labels = []
    for number, (row, opinion) in enumerate(zip(rows, base.tolist(), strict=True)):
        same = texts[:number].count(texts[number])
        near = sum(_alike(pieces[number], other) >= _NEAR for other in pieces[:number]) - same
        known = {
            "the same before": same,
            "nearly the same before": near,
            "links to this page": UNKNOWN,
        }
        if page := where[number]:
            tokens = read(row.text)
            known["links to this page"] = len(tokens) - len(away(row.text, tokens, page))
        counts = {TAKEN: EDITION, **dict.fromkeys(COUNTS, UNKNOWN), **known}
        labels.append(
            site_training.Label(str(number), row.spam, row.lang, Seen(row.text, opinion, counts))
        )
    return labels


def _alike(one: set[str], other: set[str]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def across(
    rows: Sequence[Row],
    *,
    weights: Mapping[str, float] | None = None,
    pages: Pages | None = None,
    each: Each = iter,
) -> dict[str, Figures]:
    """By source: its rows judged by a model of all the others, which never saw a label of its kind
    of text.

    Not calibrated: how often such text is spam the others cannot know. Sources with one kind alone
    only train.
    """
    kinds = {(row.source, row.spam) for row in rows}
    judged = [
        name
        for name in dict.fromkeys(row.source for row in rows)
        if {(name, True), (name, False)} <= kinds
    ]
    results = {}
    for name in each(judged if len(judged) > 1 else []):
        out = np.array([row.source == name for row in rows])
        model = train(_where(~out, rows), weights, pages=pages, calibrated=False).model
        tested = _where(out, rows)
        results[name] = figures(
            np.array([row.spam for row in tested], bool), _log_odds(model, tested, pages)
        )
    return results


def calibration(spam: Flags, log_odds: Floats) -> Calibration:
    """How true the probabilities are."""
    said = probability(log_odds)
    number = np.minimum((said * _BINS).astype(int), _BINS - 1)
    bins = tuple(
        (float(said[here].mean()), float(spam[here].mean()), int(here.sum()))
        for here in (number == at for at in range(_BINS))
        if here.any()
    )
    gap = sum(abs(expected - was) * count for expected, was, count in bins) / max(1, len(spam))
    return Calibration(float(np.mean((said - spam) ** 2)), gap, bins)


def parts(rows: Sequence[Row]) -> list[str]:
    """What is left out together: a thread, several where there are many; five parts where there are
    no two threads.
    """
    names = groups(rows)
    if len(set(names)) < 2:
        return groups([row._replace(thread="") for row in rows])
    if len(set(names)) <= _MOST_THREADS:
        return names
    bundle = {name: f"bundle {number % 10 + 1}" for number, name in enumerate(sorted(set(names)))}
    return [bundle[name] for name in names]


def near_duplicates(texts: Sequence[str], part: Sequence[str] | NDArray[np.str_]) -> Flags:
    """Whether a text shares most of its 5-letter pieces (Jaccard ≥ .6) with one of another part."""
    pieces = [_pieces(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, own in enumerate(pieces):
        for piece in own:
            holders[piece].append(number)
    return np.array(
        [_has_twin(number, pieces, holders, part) for number in range(len(texts))], bool
    )


def _has_twin(
    number: int,
    pieces: Sequence[set[str]],
    holders: dict[str, list[int]],
    part: Sequence[str] | NDArray[np.str_],
) -> bool:
    own = pieces[number]
    shared = Counter(
        other for piece in own for other in holders[piece] if part[other] != part[number]
    )
    return any(
        count / (len(own) + len(pieces[other]) - count) >= _NEAR for other, count in shared.items()
    )


def _pieces(text: str) -> set[str]:
    letters = normalised(text)
    return {letters[at : at + _GRAM] for at in range(max(1, len(letters) - _GRAM + 1))}


def cost(model: SpamModel, texts: Sequence[str]) -> Cost:
    """Measured on these texts, the model warm, in processor time: what else the machine does is not
    counted.
    """
    model.log_odds(texts[:1])
    alone = median(_seconds(model, [text]) for text in texts[:300])
    batch = min(_seconds(model, texts) for _ in range(3))
    data = model.to_bytes()
    load = min(_seconds_to_load(data) for _ in range(5))
    return Cost(1000 * alone, 1000 * load, len(texts) / batch, len(data))


def _seconds(model: SpamModel, texts: Sequence[str]) -> float:
    started = process_time()
    model.log_odds(texts)
    return process_time() - started


def _seconds_to_load(data: bytes) -> float:
    started = process_time()
    SpamModel.from_bytes(data, "the model")
    return process_time() - started


def _log_odds(model: SpamModel, rows: Sequence[Row], pages: Pages | None) -> Floats:
    return model.log_odds([row.text for row in rows], places(rows, pages))


def _where(which: Flags, rows: Sequence[Row]) -> list[Row]:
    return [row for row, is_meant in zip(rows, which, strict=True) if is_meant]
