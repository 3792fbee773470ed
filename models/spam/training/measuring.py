"""All measurements of the recipe as one list of lines, for the table, the card and the drawing."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from models.spam.model import SpamModel
from models.spam.training import evaluation, peers
from models.spam.training.base_model import Pages, train
from models.spam.training.corpus import Row
from models.spam.training.evaluation import Adapted, Calibration, Cost, Each, Judged
from models.spam.training.figures import Figures, mean

COLUMNS = ("rows", "AUC", "F1", "recall", "MCC", "false positives")


class Line(NamedTuple):
    """Something measured: `figures` by some of `COLUMNS`, or in words."""

    what: str
    figures: Mapping[str, float]
    words: str = ""


class Others(NamedTuple):
    """Rows of other kinds of text, and how much each source of them counts in training (1 where it
    is not named).
    """

    rows: Sequence[Row] = ()
    weights: Mapping[str, float] = {}


class Measured(NamedTuple):
    """Every line, with the judgements behind the drawing and what they were made with."""

    lines: tuple[Line, ...]
    judged: Mapping[str, Judged]
    calibration: Calibration
    cost: Cost
    made: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """For the card."""
        brier, gap, bins = self.calibration
        return {
            **self.made,
            "figures": [
                {"what": line.what, **_rounded(line.figures)} for line in self.lines if line.figures
            ],
            "calibration": {
                "brier": round(brier, 4),
                "gap": round(gap, 4),
                "bins": [
                    {"said": round(said, 3), "was": round(was, 3), "rows": rows}
                    for said, was, rows in bins
                ],
            },
            "cost": {name: round(value, 2) for name, value in self.cost._asdict().items()},
        }


_NO_OTHERS = Others()


def measure(
    rows: Sequence[Row],
    *,
    others: Others = _NO_OTHERS,
    pages: Pages | None = None,
    with_peers: bool = False,
    watched: Callable[[str], Each] = lambda _: iter,
) -> Measured:
    """Each protocol in turn on `rows`; `others` train beside them where a line says so.

    `watched(doing)` may show the steps of one protocol. Raises Untrainable.
    """
    judged = {"Greenroom": evaluation.judge(rows, pages=pages, each=watched("Leaving one out"))}
    lines = list(_left_out(judged["Greenroom"]))
    if others.rows:
        shipped = evaluation.judge(
            rows,
            also=others.rows,
            weights=others.weights,
            pages=pages,
            each=watched("Leaving one out, others beside"),
        )
        lines += _means(shipped, ", other kinds of text trained too")
    if len({row.thread for row in rows if row.thread}) > 1:
        lines += _authors(rows, pages, watched)
    for in_time, words in (
        (False, "its own model after 100 labels"),
        (True, "the same, in the order of time"),
    ):
        if not in_time or all(row.at for row in rows):
            each = watched("Adapting")
            found = evaluation.adaptive(
                rows, judged["Greenroom"], pages=pages, in_time=in_time, each=each
            )
            lines += _adapted(found, words)
    crossed = evaluation.across(
        [*rows, *others.rows],
        weights=others.weights,
        pages=pages,
        each=watched("Across kinds of text"),
    )
    lines += [
        _line(f"{name}, without a label of its kind", found) for name, found in crossed.items()
    ]
    for name, by in (peers.installed() if with_peers else {}).items():
        judged[name] = peers.judge(rows, by, each=watched(name))
        lines += _means(judged[name], f": {name}", best=True)
    said = evaluation.calibration(judged["Greenroom"].spam, judged["Greenroom"].log_odds)
    cost = evaluation.cost(_model(rows, pages), [row.text for row in rows])
    lines += _in_words(said, cost)
    return Measured(tuple(lines), judged, said, cost, _made(rows, others.rows))


def _model(rows: Sequence[Row], pages: Pages | None) -> SpamModel:
    return train(rows, pages=pages, calibrated=False).model


def _left_out(judged: Judged) -> Iterator[Line]:
    for name, raw, deduplicated in evaluation.leave_one_out(judged):
        yield _line(name, raw)
        yield _line(f"{name}, dedup", deduplicated)
    yield from _means(judged, "")


def _means(judged: Judged, whose: str, *, best: bool = False) -> Iterator[Line]:
    """The means over what was left out; `best` takes F1 at the threshold that suits it best, for
    others' scores.
    """
    results = evaluation.leave_one_out(judged, best=best)
    yield _line(f"mean{whose}", mean([result.raw for result in results]))
    yield _line(f"mean, dedup{whose}", mean([result.deduplicated for result in results]))


def _authors(
    rows: Sequence[Row], pages: Pages | None, watched: Callable[[str], Each]
) -> Iterator[Line]:
    for pooled, words in (
        (False, "each thread's own 70 % trains"),
        (True, "every thread's 70 % train"),
    ):
        found = evaluation.authors_split(
            rows, pooled=pooled, pages=pages, each=watched("The authors' split")
        )
        for name, correlation in found.items():
            yield Line(f"{name}, {words}", {"MCC": correlation})
        yield Line(f"mean, {words}", {"MCC": float(np.mean(list(found.values())))})


def _adapted(found: Mapping[str, Adapted], words: str) -> Iterator[Line]:
    for name, (figures, false) in found.items():
        yield _line(f"{name}, {words}", figures, false)
    if found:
        false = float(np.mean([result.false_positives for result in found.values()]))
        yield _line(f"mean, {words}", mean([result.figures for result in found.values()]), false)


def _in_words(said: Calibration, cost: Cost) -> Iterator[Line]:
    yield Line("calibration", {}, f"Brier {said.brier:.4f}; said and was are {said.gap:.3f} apart")
    alone = (
        f"{cost.alone_ms:.2f} ms for a comment alone, {cost.per_second:,.0f} "
        "comments/s in a batch on one core"
    )
    file = (
        f"a model of these alone has {cost.file_bytes / 1e6:.2f} MB, loads in {cost.load_ms:.0f} ms"
    )
    yield Line("cost", {}, f"{alone}; {file}")


def _line(what: str, found: Figures, false_positives: float | None = None) -> Line:
    figures = dict(zip(COLUMNS, found, strict=False))
    return Line(
        what, figures if false_positives is None else figures | {"false positives": false_positives}
    )


def _rounded(found: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if isnan(value) else round(value, 4) for name, value in found.items()}


def _made(rows: Sequence[Row], others: Sequence[Row]) -> dict[str, str]:
    packages = " ".join(f"{name} {version(name)}" for name in ("scikit-learn", "numpy", "scipy"))
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "with": f"Python {platform.python_version()} {packages}",
        "on": _names(rows),
        "others": _names(others),
    }


def _names(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.source for row in rows))
