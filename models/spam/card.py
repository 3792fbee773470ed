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

from models.spam.corpus import Row
from models.spam.figures import Figures, figures
from models.spam.training import Trained


def card(trained: Trained, read: Sequence[Row], weights: Mapping[str, float], file: Path) -> dict[str, Any]:
    """Facts about the model saved at `file`; `read` are the rows before repeats were dropped."""
    data = file.read_bytes()
    return {
        "version": trained.model.version,
        "sha256": sha256(data).hexdigest(),
        "bytes": len(data),
        "made": datetime.now(UTC).date().isoformat(),
        "languages": sorted(trained.model.languages),
        "sources": [_source(name, trained.rows, read, weights) for name in sorted({row.source for row in read})],
        "held out": {name: _rounded(result) for name, result in held_out(trained).items()},
    }


def save(content: dict[str, Any], model: Path) -> Path:
    """Write the card beside its model, and say where."""
    path = model.with_suffix(".json")
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def held_out(trained: Trained) -> dict[str, Figures]:
    """By source: rows judged by a model that had seen neither them nor their thread."""
    spam, source = np.array([row.spam for row in trained.rows], bool), np.array([row.source for row in trained.rows])
    return {name: figures(spam[source == name], trained.held_out[source == name]) for name in sorted(set(source))}


def _source(name: str, rows: Sequence[Row], read: Sequence[Row], weights: Mapping[str, float]) -> dict[str, Any]:
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
    return {"rows": result.rows} | {name: None if isnan(x) else round(x, 4) for name, x in figure.items()}
