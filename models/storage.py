"""Where published threads are kept, and under which names: a folder, or an object store."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from models.settings import settings


class Stored(NamedTuple):
    """An object's bytes and the tag that changes with them."""

    content: bytes
    tag: str


@cache
def _store_of(pid: int) -> ObjectStore:
    """One store a process: its threads do not survive a fork."""
    url = settings().published_url
    if url.startswith("file:"):
        folder = Path(urlsplit(url).path)
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder)
    return from_url(url)


def get(name: str) -> Stored | None:
    """The object of that name, or None."""
    try:
        answer = obstore.get(_store_of(os.getpid()), name)
    except FileNotFoundError:
        return None
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
