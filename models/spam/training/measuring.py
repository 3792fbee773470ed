"""All measurements of the recipe as one list of lines, for the table, the card and the drawing."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

from models.classifier.features import sparse_features
from models.classifier.model import CountsAlone, probability
from models.classifier.text import read
from models.classifier.training import evaluation, teaching
from models.classifier.training.base_model import Pages, learned_languages, train, train_on_counts
from models.classifier.training.corpus import Row, deduplicated
from models.classifier.training.cost import Cost, cost
from models.classifier.training.evaluation import Adapted, Calibration, Each, Judged
from models.classifier.training.figures import Figures, mean
from models.judgement.policy import DisguisePolicy, SpamPolicy
from models.spam.training import peers
from models.spam.training.disguising import advertisements
from models.text.disguise import disguises, letters_of_kind

COLUMNS = ("rows", "AUC", "F1", "recall", "MCC", "false positives")
OURS = "Greenroom"


class Line(NamedTuple):
    """One result: `figures` in some of `COLUMNS`, or a sentence in `words`."""

    what: str
    figures: Mapping[str, float]
    words: str = ""


class Others(NamedTuple):
    """Rows of other kinds of text, and how much each source of them counts in training (1 if it is
    not named).
    """

    rows: Sequence[Row] = ()
    weights: Mapping[str, float] = {}


class Made(NamedTuple):
    """When a measurement was made, with which software, and on which sources."""

    day: str
    software: str
    on: str
    others: str


class Measured(NamedTuple):
    """Every line, with the judgements behind the drawing. `judged` is by the name of the filter."""

    lines: tuple[Line, ...]
    judged: Mapping[str, Judged]
    calibration: Calibration
    cost: Cost
    made: Made


_NO_OTHERS = Others()


def measure(
    rows: Sequence[Row],
    *,
    others: Others = _NO_OTHERS,
    pages: Pages | None = None,
    with_peers: bool = False,
    watched: Callable[[str], Each] = lambda _: iter,
) -> Measured:
    """Run each protocol in turn on `rows`. `others` are added to the training where a line says so.

    `watched(description)` may show the progress of one protocol. Raises Untrainable.
    """
    ours = evaluation.judge(rows, pages=pages, each=watched("Leaving one out"))
    judged = {OURS: ours}
    if with_peers:
        for name, by in peers.installed().items():
            judged[name] = peers.judge(rows, by, each=watched(name))
    said = evaluation.calibration(ours.spam, ours.log_odds)
    model = train(rows, pages=pages, calibrated=False).model
    spent = cost(model, [row.text for row in rows])
    lines = (
        *_left_out(ours),
        *_beside_others(rows, others, pages, watched),
        *_authors(rows, pages, watched),
        *_adaptive(rows, ours, pages, watched),
        *_across(rows, others, pages, watched),
        *_taught(rows, others, watched),
        *_disguised([*rows, *others.rows]),
        *_unlearned(rows, others, pages),
        *_peers(judged),
        *_in_words(said, spent),
    )
    return Measured(lines, judged, said, spent, _made(rows, others.rows))


def _left_out(judged: Judged) -> Iterator[Line]:
    for result in evaluation.leave_one_out(judged):
        yield _line(result.name, result.raw)
        yield _line(f"{result.name}, dedup", result.deduplicated)
    yield from _means(judged, "")


def _beside_others(
    rows: Sequence[Row], others: Others, pages: Pages | None, watched: Callable[[str], Each]
) -> Iterator[Line]:
    if others.rows:
        judged = evaluation.judge(
            rows,
            also=others.rows,
            weights=others.weights,
            pages=pages,
            each=watched("Leaving one out, others beside"),
        )
        yield from _means(judged, ", other kinds of text trained too")


def _means(judged: Judged, whose: str, *, best: bool = False) -> Iterator[Line]:
    """Yield the means over the parts. `best` takes F1 at the threshold that suits it best, which is
    fair to scores of others.
    """
    results = evaluation.leave_one_out(judged, best=best)
    yield _line(f"mean{whose}", mean([result.raw for result in results]))
    yield _line(f"mean, dedup{whose}", mean([result.deduplicated for result in results]))


def _authors(
    rows: Sequence[Row], pages: Pages | None, watched: Callable[[str], Each]
) -> Iterator[Line]:
    if len({row.thread for row in rows if row.thread}) < 2:
        return
    splits = ((False, "each thread's own 70 % trains"), (True, "every thread's 70 % train"))
    for pooled, words in splits:
        each = watched("The authors' split")
        found = evaluation.authors_split(rows, pooled=pooled, pages=pages, each=each)
        for name, correlation in found.items():
            yield Line(f"{name}, {words}", {"MCC": correlation})
        yield Line(f"mean, {words}", {"MCC": float(np.mean(list(found.values())))})


def _adaptive(
    rows: Sequence[Row], ours: Judged, pages: Pages | None, watched: Callable[[str], Each]
) -> Iterator[Line]:
    each = watched("Adapting")
    found = evaluation.adaptive(rows, ours, pages=pages, each=each)
    yield from _adapted(found, "its own model after 100 labels")
    if all(row.at for row in rows):
        found = evaluation.adaptive(rows, ours, pages=pages, in_time=True, each=each)
        yield from _adapted(found, "the same, in the order of time")


def _adapted(found: Mapping[str, Adapted], words: str) -> Iterator[Line]:
    for name, result in found.items():
        yield _line(f"{name}, {words}", result.figures, result.false_positives)
    if found:
        false_positives = float(np.mean([result.false_positives for result in found.values()]))
        figures = mean([result.figures for result in found.values()])
        yield _line(f"mean, {words}", figures, false_positives)


def _across(
    rows: Sequence[Row], others: Others, pages: Pages | None, watched: Callable[[str], Each]
) -> Iterator[Line]:
    found = evaluation.across(
        [*rows, *others.rows],
        weights=others.weights,
        pages=pages,
        each=watched("Across kinds of text"),
    )
    for name, figures in found.items():
        yield _line(f"{name}, without a label of its kind", figures)


def _taught(rows: Sequence[Row], others: Others, watched: Callable[[str], Each]) -> Iterator[Line]:
    found = teaching.gains(
        [*rows, *others.rows],
        {row.source for row in others.rows},
        weights=others.weights,
        each=watched("Teaching queue"),
    )
    for name, gain in found.items():
        without = f"{name}, without a label of its kind"
        yield _line(f"{without}, on a half", gain.before)
        yield _line(f"{without}, then {teaching.LABELS} in random order", gain.by_chance)
        queue = f"{without}, then {teaching.LABELS} by the teaching queue"
        yield _line(queue, gain.chosen)
        yield _line(f"{queue}, each counted once", gain.unweighted)


def _disguised(rows: Sequence[Row]) -> Iterator[Line]:
    """Yield how much spam in disguise is held for its disguise alone, and how much ham is hit."""
    hidden = list(advertisements())
    held = sum(_is_disguised(each.text) for each in hidden)
    languages = len({each.language for each in hidden})
    yield Line(
        "spam in disguise",
        {},
        f"{held} of {len(hidden)} advertisements in {languages} languages are held for their "
        "disguise alone",
    )
    for source in dict.fromkeys(row.source for row in rows):
        ham = [row.text for row in rows if row.source == source and not row.spam]
        hit = sum(map(_is_disguised, ham))
        share = hit / max(1, len(ham))
        yield Line(f"{source}, ham held for disguise", {}, f"{hit} of {len(ham)} ({share:.2%})")


def _is_disguised(text: str) -> bool:
    letters = letters_of_kind(disguises(text)).total()
    return letters > DisguisePolicy().max_letters


def _unlearned(rows: Sequence[Row], others: Others, pages: Pages | None) -> Iterator[Line]:
    """Yield how each source with a language of its own is judged by a model that never saw the
    language, and so reads no words.
    """
    every = deduplicated([*rows, *others.rows])
    main = learned_languages(rows)
    for source in dict.fromkeys(row.source for row in others.rows):
        tested = [row for row in every if row.source == source]
        languages = learned_languages(tested)
        if not languages or languages & main or {row.spam for row in tested} != {True, False}:
            continue
        known = [row for row in every if row.source != source and row.lang not in languages]
        model = train_on_counts(known, others.weights, pages=pages)
        yield Line(f"{source}, as if its language were unknown", {}, _held(model, tested))


def _held(model: CountsAlone, tested: Sequence[Row]) -> str:
    """Tell which shares of ham and spam the default policy would hold."""
    rows = sparse_features([row.text for row in tested])
    is_held = probability(model.of_rows(rows)) >= SpamPolicy().flag_above
    spam = np.array([row.spam for row in tested], bool)
    marked = np.array([_has_marks(row.text) for row in tested], bool)
    return (
        f"{is_held[~spam].mean():.1%} of ham held, {is_held[spam].mean():.1%} of spam, "
        f"{is_held[spam & marked].mean():.1%} of spam with a link or disguise"
    )


def _has_marks(text: str) -> bool:
    return bool(disguises(text)) or any(token.kind == "link" for token in read(text))


def _peers(judged: Mapping[str, Judged]) -> Iterator[Line]:
    for name, by_peer in judged.items():
        if name != OURS:
            yield from _means(by_peer, f": {name}", best=True)


def _in_words(said: Calibration, spent: Cost) -> Iterator[Line]:
    yield Line("calibration", {}, f"Brier {said.brier:.4f}; said and was are {said.gap:.3f} apart")
    alone = (
        f"{spent.alone_ms:.2f} ms for a comment alone, {spent.per_second:,.0f} "
        "comments/s in a batch on one core"
    )
    megabytes = spent.file_bytes / 1e6
    file = f"a model of these alone has {megabytes:.2f} MB, loads in {spent.load_ms:.0f} ms"
    yield Line("cost", {}, f"{alone}; {file}")


def _line(what: str, found: Figures, false_positives: float | None = None) -> Line:
    figures = {"rows": found.rows, "AUC": found.auc, "F1": found.f1, "recall": found.recall}
    if false_positives is not None:
        figures["false positives"] = false_positives
    return Line(what, figures)


def _made(rows: Sequence[Row], others: Sequence[Row]) -> Made:
    packages = " ".join(f"{name} {version(name)}" for name in ("scikit-learn", "numpy", "scipy"))
    return Made(
        day=datetime.now(UTC).date().isoformat(),
        software=f"Python {platform.python_version()} {packages}",
        on=_sources(rows),
        others=_sources(others),
    )


def _sources(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.source for row in rows))
