"""The quality figures as a table for a spreadsheet: one line for the total, and for each month,
language and check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from service.http import spreadsheets
from service.sites.quality import Quality

RATES = ("wrongly_passed", "wrongly_held", "wrongly_rejected")
OF_ALL_GOOD = ("good_held", "good_rejected")
COUNTS = ("live", "held", "rejected", "reviews", "waiting", "samples", "decided_by_machine")
ENDS = ("share", "low", "high")
PARTS = (
    *((rate, end) for rate in RATES for end in ("wrong", "of", *ENDS)),
    *((share, end) for share in OF_ALL_GOOD for end in ENDS),
)
COLUMNS = ("by", "name", *COUNTS, *(f"{figure} {end}" for figure, end in PARTS))
EXAMPLE = spreadsheets.line(COLUMNS) + spreadsheets.line(("month", "2026-03", "6000", "420", "80"))


def as_csv(quality: Quality) -> str:
    return "".join(spreadsheets.line(values) for values in _lines(quality))


def _lines(quality: Quality) -> Iterator[list[str]]:
    yield list(COLUMNS)
    yield _line("total", f"{quality['from']} to {quality['to']}", quality["total"])
    for by, rows in (
        ("month", quality["months"]),
        ("language", quality["languages"]),
        ("check", quality["checks"]),
    ):
        for row in rows:
            yield _line(by, row["name"], row)


def _line(by: str, name: str, row: Mapping[str, object]) -> list[str]:
    """Return a line. A cell is empty if the row has no such figure, or not enough reviews yet."""
    comments = row.get("comments")
    counts = {**row, **comments} if isinstance(comments, Mapping) else row
    cells = [counts.get(column) for column in COUNTS]
    for figure, end in PARTS:
        ends = row.get(figure)
        cells.append(ends.get(end) if isinstance(ends, Mapping) else None)
    return [by, name, *("" if cell is None else str(cell) for cell in cells)]
