"""Where published threads are kept, and under which names: a folder, or an object store."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from models.settings import settings

MOST_KEPT, MOST_BYTES_KEPT = 200, 100_000  # 20 MB of the pages read last, at the very most


class Stored(NamedTuple):
    """An object's bytes and the tag that changes with them."""

    content: bytes
    tag: str


_kept: dict[str, Stored] = {}


@cache
def _store_of(pid: int) -> ObjectStore:
    """One store a process: its threads do not survive a fork."""
    folder = _local()
    if folder is None:
        return from_url(settings().published_url)
    Path(folder).mkdir(parents=True, exist_ok=True)
    return LocalStore(folder)


@cache
def _local() -> str | None:
    """The folder that a file: URL names; None for an object store."""
    url = settings().published_url
    return unquote(urlsplit(url).path) if url.startswith("file:") else None


def get(name: str) -> Stored | None:
    """The object of that name, or None."""
    folder = _local()
    try:
        return _read(f"{folder}/{name}") if folder else _fetch(name)
    except FileNotFoundError:
        return None


def _read(path: str) -> Stored:
    """A file of the folder. What was read before is kept while the file is the same: to look costs a tenth."""
    tag = _tag(os.stat(path))  # noqa: PTH116 — pathlib would cost as much again
    kept = _kept.get(path)
    if kept is None or kept.tag != tag:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            tag = _tag(os.fstat(file.fileno()))  # it may have been replaced since we looked
            kept = Stored(file.read(), tag)
        _keep(path, kept)
    return kept


def _tag(about: os.stat_result) -> str:
    return f"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"


def _keep(path: str, stored: Stored) -> None:
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    if len(stored.content) <= MOST_BYTES_KEPT:
        _kept[path] = stored


def _fetch(name: str) -> Stored:
    answer = obstore.get(_store_of(os.getpid()), name)
    return Stored(bytes(answer.bytes()), (answer.meta["e_tag"] or "").strip('"'))


def put(name: str, content: bytes, content_type: str) -> None:
    """Replace the object whole: a reader gets the old bytes or the new ones."""
    store = _store_of(os.getpid())
    attributes = None if isinstance(store, LocalStore) else {"Content-Type": content_type}
    obstore.put(store, name, content, attributes=attributes)


def newest_name(site: str, thread: str) -> str:
    """The page readers see first, complete with the thread's state and count."""
    return f"{_folder(site, thread)}/newest.json"


def page_name(site: str, thread: str, page: int) -> str:
    """One page of top comments, numbered from the oldest."""
    return f"{_folder(site, thread)}/{page}.json"


def replies_name(site: str, thread: str, top: str, page: int) -> str:
    """Replies that found no room under their top comment, numbered from the oldest."""
    return f"{_folder(site, thread)}/{top}/{page}.json"


def feed_name(site: str, thread: str) -> str:
    return f"{_folder(site, thread)}/feed.atom"


def _folder(site: str, thread: str) -> str:
    """A hash, since a thread's key may hold anything."""
    digest = hashlib.blake2b(f"{site}\0{thread}".encode(), digest_size=20).hexdigest()
    return f"{site}/{digest[:2]}/{digest}"
