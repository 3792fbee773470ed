"""The answers that clients got, in an append-only log: the first of the three records that are
compared in the end.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import orjson


class Told:
    """One line per event: `sent`, `accepted`, `decided`, `answered` (otherwise), `unanswered`, with
    the comment it was about.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._guard = threading.Lock()
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def note(self, what: str, **about: Any) -> None:
        with self._guard:
            self._file.write(orjson.dumps({"what": what, **about}) + b"\n")


def lines(path: Path, what: str) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        entry: dict[str, Any] = orjson.loads(line)
        if entry["what"] == what:
            yield entry


def digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
