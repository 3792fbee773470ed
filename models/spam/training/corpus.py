"""Labelled comments from CSV files: `text,label[,thread,at,lang]`, label `spam` or `ham`."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.text.folding import fold

_LABELS = {"spam": True, "ham": False}
_BYTE_ORDER_MARK = "\ufeff"  # left in, it gives YouTube's ham away


class Row(NamedTuple):
    """A labelled comment; `source` is the name of its file without the ending, `at` what the file
    says of when.
    """

    text: str
    spam: bool
    thread: str
    lang: str
    source: str
    at: str = ""


class BadCorpus(ValueError):
    """A file that cannot be read as a corpus: says which line, and what is meant."""


def read(paths: Iterable[Path]) -> list[Row]:
    """Every row of every file, in order. Raises BadCorpus."""
    return [row for path in paths for row in _read(path)]


def _read(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(path, csv.DictReader(file, strict=True))
    except UnicodeDecodeError as error:
        raise BadCorpus(f"{path} is not UTF-8: {error}") from error
    except OSError as error:
        raise BadCorpus(f"{path} cannot be read: {error.strerror}") from error


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[Row]:
    try:
        if missing := {"text", "label"} - set(reader.fieldnames or ()):
            raise BadCorpus(
                f"{path}, line 1: no column {' and '.join(sorted(missing))}; the header is "
                "text,label[,…]"
            )
        for row in reader:
            yield _row(row, path, reader.line_num)
    except csv.Error as error:
        raise BadCorpus(f"{path}, line {reader.reader.line_num}: {error}") from error


def _row(row: dict[str, str | None], path: Path, line: int) -> Row:
    text, label = (
        (row["text"] or "").replace(_BYTE_ORDER_MARK, "").strip(),
        (row["label"] or "").strip().lower(),
    )
    if label not in _LABELS:
        raise BadCorpus(f"{path}, line {line}: label is {label!r}; spam or ham is meant")
    if not text:
        raise BadCorpus(f"{path}, line {line}: the text is empty")
    return Row(
        text,
        _LABELS[label],
        row.get("thread") or "",
        row.get("lang") or "",
        path.stem,
        row.get("at") or "",
    )


def normalised(text: str) -> str:
    """The text as it is compared with others: folded, and only its letters and digits."""
    return re.sub(r"[\W_]+", " ", fold(text)).strip() or text


def deduplicated(rows: Sequence[Row]) -> list[Row]:
    """One row for all that say the same, with the label most of them have; none if they are evenly
    divided.
    """
    votes: Counter[str] = Counter()
    first: dict[str, Row] = {}
    for row in rows:
        key = normalised(row.text)
        first.setdefault(key, row)
        votes[key] += 1 if row.spam else -1
    return [row._replace(spam=votes[key] > 0) for key, row in first.items() if votes[key]]


def groups(rows: Sequence[Row], folds: int = 5) -> list[str]:
    """What must not stand on both sides of a test: a row's thread, or else one of `folds` parts
    with equal spam.
    """
    seen: Counter[bool] = Counter()
    names = []
    for row in rows:
        names.append(row.thread or f"part {seen[row.spam] % folds + 1}")
        seen[row.spam] += not row.thread
    return names
