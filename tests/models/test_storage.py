"""The pages that a process caches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cachetools import FIFOCache

from models.store import storage


def test_threads_that_read_more_objects_than_are_kept_all_get_theirs(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_kept", FIFOCache(5))
    names = [f"object{number}" for number in range(20)]
    for name in names:
        storage.put(name, name.encode(), "text/plain")

    def read(name: str) -> bytes:
        found = storage.get(name)
        assert found
        return found.content

    with ThreadPoolExecutor(8) as threads:
        wanted = names * 50
        assert list(threads.map(read, wanted)) == [name.encode() for name in wanted]
    assert storage._kept.currsize <= 5


def test_an_object_too_long_for_the_cache_is_read_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "MOST_BYTES_KEPT", 4)
    kept: FIFOCache[str, storage.Stored] = FIFOCache(5)
    monkeypatch.setattr(storage, "_kept", kept)
    for name, content in {"short": b"1234", "long": b"12345"}.items():
        storage.put(name, content, "text/plain")
        found = storage.get(name)
        assert found
        assert found.content == content
    assert [Path(path).name for path in kept] == ["short"]
