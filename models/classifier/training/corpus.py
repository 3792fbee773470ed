"""Labelled comments from CSV files: `text,label[,thread,at,lang]`, label `spam` or `ham`."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.text.folding import fold

_LABELS = {"spam": True, "ham": False}
# Only before a character outside ASCII, because C:\\new is a path.
_SPELLED_LINE_END = re.compile(r"(?:\\n)+(?=[^\x00-\x7f])")
_BYTE_ORDER_MARK = "\ufeff"  # only ham of YouTube has it, so a model would learn it


class Row(NamedTuple):
    """A labelled comment. `source` is the name of its file without the suffix, `at` its time as
    the file gives it, `kinds` what kinds of abuse it is, or None if nobody looked.
    """

    text: str
    spam: bool
    thread: str
    lang: str
    source: str
    at: str = ""
    kinds: frozenset[str] | None = None


class BadCorpus(ValueError):
    """Raised for a file that is not a corpus. The message names the line and what was expected."""


def read(paths: Iterable[Path]) -> list[Row]:
    """Return every row of every file, in order. Raises BadCorpus."""
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
    text = mended((row["text"] or "").replace(_BYTE_ORDER_MARK, "")).strip()
    label = (row["label"] or "").strip().lower()
    if label not in _LABELS:
        raise BadCorpus(f"{path}, line {line}: the label is {label!r}; it must be spam or ham")
    if not text:
        raise BadCorpus(f"{path}, line {line}: the text is empty")
    return Row(
        text=text,
        spam=_LABELS[label],
        thread=row.get("thread") or "",
        lang=row.get("lang") or "",
        source=path.stem,
        at=row.get("at") or "",
    )


def mended(text: str) -> str:
    r"""Return a message of Telegram as its readers saw it, and any other text unchanged.

    An export stored formatted messages as Python's notation of their pieces
    (`['Hello ', {'type': 'bold', 'text': 'you'}]`), and some line ends as a backslash and an n.
    Only ham has the pieces, so a model would learn their notation.
    """
    if text.startswith("[") and "{'type'" in text:
        text = _put_together(text)
    return _SPELLED_LINE_END.sub("\n", text)


def _put_together(written: str) -> str:
    try:
        pieces = ast.literal_eval(written)
    except (SyntaxError, ValueError):
        return written
    return "".join(piece if isinstance(piece, str) else str(piece["text"]) for piece in pieces)


def normalised(text: str) -> str:
    """Return the form in which texts are compared: folded, and only letters and digits."""
    return re.sub(r"[\W_]+", " ", fold(text)).strip() or text


def deduplicated(rows: Sequence[Row]) -> list[Row]:
    """Keep one row for each text, with the label that most of its copies have. A text with as many
    labels of either kind is dropped.
    """
    votes: Counter[str] = Counter()
    first: dict[str, Row] = {}
    for row in rows:
        key = normalised(row.text)
        first.setdefault(key, row)
        votes[key] += 1 if row.spam else -1
    return [row._replace(spam=votes[key] > 0) for key, row in first.items() if votes[key]]


def groups(rows: Sequence[Row], folds: int = 5) -> list[str]:
    """Return for each row the name of the group that must not be split between training and test.

    It is the row's thread. Rows without a thread are dealt out to `folds` parts, each with its
    share of spam.
    """
    dealt: Counter[bool] = Counter()
    names = []
    for row in rows:
        if row.thread:
            names.append(row.thread)
        else:
            names.append(f"part {dealt[row.spam] % folds + 1}")
            dealt[row.spam] += 1
    return names
