"""The card of the abuse model: what it learned from, how well it does, and which bytes it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.abuse.training.measuring import Measured, markdown
from models.abuse.training.training import Trained
from models.classifier.training.corpus import Row
from models.classifier.training.saved import Saved

_BEGIN, _END = "<!-- measured by `greenroom evaluate` -->", "<!-- end -->"


class _Section(BaseModel):
    model_config = ConfigDict(validate_by_name=True)


class Source(_Section):
    """One file of labelled comments. `toxic` and `ok` are without repeats."""

    name: str
    rows: int
    toxic: int
    ok: int


class MeasuredTable(_Section):
    title: str
    note: str
    columns: list[str]
    rows: list[list[str | int | float | None]]


class MeasuredPart(_Section):
    """The part of the card that `greenroom evaluate` adds."""

    measured: str
    software: str = Field(alias="with")
    tables: list[MeasuredTable]


class Card(_Section, Saved):
    """The whole card. `parts` says how many rows the model learned from, how many its thresholds
    were fitted on, and how many are only reported.
    """

    indent = 1  # its tables are long

    version: str
    sha256: str
    bytes: int
    made: str
    languages: list[str]
    attributes: list[str]
    parts: dict[str, int]
    sources: list[Source]
    measured: MeasuredPart | None = None


def card(trained: Trained, read: Sequence[Row], file: Path) -> Card:
    """Describe the model saved at `file`. `read` holds the rows before repeats were dropped."""
    data = file.read_bytes()
    kinds = Counter((row.source, row.spam) for row in trained.rows)
    return Card(
        version=trained.model.version,
        sha256=sha256(data).hexdigest(),
        bytes=len(data),
        made=datetime.now(UTC).date().isoformat(),
        languages=sorted(trained.model.languages | trained.model.acquainted),
        attributes=list(trained.attributes.names),
        parts=dict(Counter(trained.parts)),
        sources=[
            Source(name=name, rows=rows, toxic=kinds[name, True], ok=kinds[name, False])
            for name, rows in sorted(Counter(row.source for row in read).items())
        ],
    )


def add_measured(found: Measured, path: Path) -> None:
    """Write the tables into a card: as "measured" in the JSON, and between two marks in the
    Markdown file beside it.
    """
    content = Card.load(path)
    content.measured = MeasuredPart(
        measured=found.day,
        software=found.software,
        tables=[
            MeasuredTable(
                title=table.title,
                note=table.note,
                columns=list(table.columns),
                rows=[[_rounded(value) for value in row] for row in table.rows],
            )
            for table in found.tables
        ],
    )
    content.save(path)
    page = path.with_suffix(".md")
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    before, begin, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2] if begin else "\n"
    page.write_text(f"{before}{_BEGIN}\n{markdown(found)}\n{_END}{after}", encoding="utf-8")


def _rounded(value: str | float | None) -> str | int | float | None:
    return round(float(value), 4) if isinstance(value, float) else value
