"""What a model file says about itself: what it learned from, how well, when, and which bytes it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from models.spam.training.base_model import Trained
from models.spam.training.corpus import Row
from models.spam.training.figures import Figures, figures
from models.spam.training.measuring import COLUMNS, Measured

_BEGIN, _END = "<!-- measured by `greenroom evaluate` -->", "<!-- end -->"


def card(
    trained: Trained, read: Sequence[Row], weights: Mapping[str, float], file: Path
) -> dict[str, Any]:
    """Facts about the model saved at `file`; `read` are the rows before repeats were dropped."""
    data = file.read_bytes()
    return {
        "version": trained.model.version,
        "sha256": sha256(data).hexdigest(),
        "bytes": len(data),
        "made": datetime.now(UTC).date().isoformat(),
        "languages": sorted(trained.model.languages),
        "acquainted": sorted(trained.model.acquainted),
        "sources": [
            _source(name, trained.rows, read, weights)
            for name in sorted({row.source for row in read})
        ],
        "held out": {name: _rounded(result) for name, result in held_out(trained).items()},
    }


def save(content: dict[str, Any], model: Path) -> Path:
    """Write the card beside its model, and say where."""
    path = model.with_suffix(".json")
    path.write_text(_as_text(content), encoding="utf-8")
    return path


def add_measured(found: Measured, path: Path) -> None:
    """Write what was measured into a card: as "measured" in the JSON, between two marks in the
    Markdown beside it.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(_as_text(content | {"measured": found.as_json()}), encoding="utf-8")
    page = path.with_suffix(".md")
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    before, begin, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2] if begin else "\n"
    page.write_text(f"{before}{_BEGIN}\n{_markdown(found)}\n{_END}{after}", encoding="utf-8")


def _markdown(found: Measured) -> str:
    head = ["what was left out", *COLUMNS]
    lines = [
        [line.what, *(_cell(line.figures.get(name)) for name in COLUMNS)]
        for line in found.lines
        if line.figures
    ]
    table = [head, ["---"] * len(head), *lines]
    words = [f"- {line.what}: {line.words}" for line in found.lines if line.words]
    about = f"Measured {found.made['measured']} on {found.made['on']} with {found.made['with']}."
    return "\n".join([about, "", *(f"| {' | '.join(row)} |" for row in table), "", *words])


def _cell(value: float | None) -> str:
    if value is None or isnan(value):
        return ""
    return f"{value:.0f}" if value > 1 else f"{value:.3f}"


def _as_text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def held_out(trained: Trained) -> dict[str, Figures]:
    """By source: rows judged by a model that had seen neither them nor their thread."""
    spam, source = (
        np.array([row.spam for row in trained.rows], bool),
        np.array([row.source for row in trained.rows]),
    )
    return {
        name: figures(spam[source == name], trained.held_out[source == name])
        for name in sorted(set(source))
    }


def _source(
    name: str, rows: Sequence[Row], read: Sequence[Row], weights: Mapping[str, float]
) -> dict[str, Any]:
    kinds = Counter(row.spam for row in rows if row.source == name)
    return {
        "name": name,
        "rows": sum(row.source == name for row in read),
        "without repeats": {"spam": kinds[True], "ham": kinds[False]},
        "weight": weights.get(name, 1.0),
        "threads": sorted({row.thread for row in rows if row.source == name and row.thread}),
    }


def _rounded(result: Figures) -> dict[str, float | None]:
    figure = {"auc": result.auc, "f1": result.f1, "recall at 1 % false positives": result.recall}
    return {"rows": result.rows} | {
        name: None if isnan(x) else round(x, 4) for name, x in figure.items()
    }
