"""The card of a model file: what the model learned from, how well it does, and which
bytes it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.classifier.training.base_model import Trained
from models.classifier.training.corpus import Row
from models.classifier.training.figures import Figures, figures
from models.classifier.training.saved import Saved
from models.spam.training.measuring import COLUMNS, Line, Measured

_BEGIN, _END = "<!-- measured by `greenroom evaluate` -->", "<!-- end -->"

Figure: TypeAlias = float | None  # None is unknown


class _Section(BaseModel):
    """A part of the card. Its fields have underscores where the JSON has spaces. Unknown fields in
    a card are kept.
    """

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", " "), validate_by_name=True, extra="allow"
    )


class Kinds(_Section):
    spam: int
    ham: int


class Source(_Section):
    """One file of labelled comments."""

    name: str
    rows: int
    without_repeats: Kinds
    weight: float
    threads: list[str]


class HeldOut(_Section):
    """Figures by models that had not seen the rows."""

    rows: int
    auc: Figure
    f1: Figure
    recall: Figure = Field(alias="recall at 1 % false positives")


class MeasuredBin(_Section):
    said: float
    was: float
    rows: int


class MeasuredCalibration(_Section):
    brier: float
    gap: float
    bins: list[MeasuredBin]


class MeasuredCost(BaseModel):
    """These keys have underscores in the JSON, too."""

    alone_ms: float
    load_ms: float
    per_second: float
    file_bytes: int


class MeasuredPart(_Section):
    """The part of the card that `greenroom evaluate` adds."""

    measured: str
    software: str = Field(alias="with")
    on: str
    others: str
    figures: list[dict[str, str | int | Figure]]
    calibration: MeasuredCalibration
    cost: MeasuredCost


class Card(_Section, Saved):
    """The whole card."""

    version: str
    sha256: str
    bytes: int
    made: str
    languages: list[str]
    acquainted: list[str] = []
    sources: list[Source]
    held_out: dict[str, HeldOut]
    measured: MeasuredPart | None = None


def card(trained: Trained, read: Sequence[Row], weights: Mapping[str, float], file: Path) -> Card:
    """Describe the model saved at `file`. `read` holds the rows before repeats were dropped."""
    data = file.read_bytes()
    names = sorted({row.source for row in read})
    return Card(
        version=trained.model.version,
        sha256=sha256(data).hexdigest(),
        bytes=len(data),
        made=datetime.now(UTC).date().isoformat(),
        languages=sorted(trained.model.languages),
        acquainted=sorted(trained.model.acquainted),
        sources=[_source(name, trained.rows, read, weights.get(name, 1.0)) for name in names],
        held_out={name: _held_out(result) for name, result in held_out(trained).items()},
    )


def _source(name: str, rows: Sequence[Row], read: Sequence[Row], weight: float) -> Source:
    own = [row for row in rows if row.source == name]
    kinds = Counter(row.spam for row in own)
    return Source(
        name=name,
        rows=sum(row.source == name for row in read),
        without_repeats=Kinds(spam=kinds[True], ham=kinds[False]),
        weight=weight,
        threads=sorted({row.thread for row in own if row.thread}),
    )


def held_out(trained: Trained) -> dict[str, Figures]:
    """Return by source the figures of its rows, judged by models that had seen neither them nor
    their thread.
    """
    spam = np.array([row.spam for row in trained.rows], bool)
    source = np.array([row.source for row in trained.rows])
    results = {}
    for name in sorted(set(source.tolist())):
        own = source == name
        results[name] = figures(spam[own], trained.held_out[own])
    return results


def _held_out(result: Figures) -> HeldOut:
    return HeldOut(
        rows=result.rows,
        auc=_rounded(result.auc),
        f1=_rounded(result.f1),
        recall=_rounded(result.recall),
    )


def add_measured(found: Measured, path: Path) -> None:
    """Write the results into a card: as "measured" in the JSON, and between two marks in the
    Markdown file beside it.
    """
    content = Card.load(path)
    content.measured = _measured(found)
    content.save(path)
    page = path.with_suffix(".md")
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    before, begin, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2] if begin else "\n"
    page.write_text(f"{before}{_BEGIN}\n{_markdown(found)}\n{_END}{after}", encoding="utf-8")


def _measured(found: Measured) -> MeasuredPart:
    bins = [
        MeasuredBin(said=round(each.said, 3), was=round(each.was, 3), rows=each.rows)
        for each in found.calibration.bins
    ]
    return MeasuredPart(
        measured=found.made.day,
        software=found.made.software,
        on=found.made.on,
        others=found.made.others,
        figures=[_figures(line) for line in found.lines if line.figures],
        calibration=MeasuredCalibration(
            brier=round(found.calibration.brier, 4), gap=round(found.calibration.gap, 4), bins=bins
        ),
        cost=MeasuredCost(
            alone_ms=round(found.cost.alone_ms, 2),
            load_ms=round(found.cost.load_ms, 2),
            per_second=round(found.cost.per_second, 2),
            file_bytes=found.cost.file_bytes,
        ),
    )


def _figures(line: Line) -> dict[str, str | int | Figure]:
    return {"what": line.what} | {name: _rounded(value) for name, value in line.figures.items()}


def _rounded(value: float) -> Figure:
    return None if isnan(value) else round(value, 4)


def _markdown(found: Measured) -> str:
    lines = [
        f"Measured {found.made.day} on {found.made.on} with {found.made.software}.",
        "",
        _row(["what was left out", *COLUMNS]),
        _row(["---"] * (1 + len(COLUMNS))),
    ]
    lines += [_row(_cells(line)) for line in found.lines if line.figures]
    words = [f"- {line.what}: {line.words}" for line in found.lines if line.words]
    return "\n".join([*lines, "", *words])


def _cells(line: Line) -> list[str]:
    return [line.what, *(_cell(line.figures.get(name)) for name in COLUMNS)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    if value is None or isnan(value):
        return ""
    return f"{value:.0f}" if value > 1 else f"{value:.3f}"
