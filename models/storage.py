"""Where published threads are kept, and under which names: a folder, or an object store."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets as random
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from models.faults import in_words
from models.settings import settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# A store that does not answer is given up after seconds: a reader waits for it, and a publisher's lease runs meanwhile.
# Plain http has to be asked for all the same, by the endpoint's own address.
CLIENT: ClientConfig = {"connect_timeout": "2s", "timeout": "4s", "allow_http": True}
RETRY: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=10)}

TOPS_A_PAGE, REPLIES_A_PAGE = 25, 50  # more replies continue on objects of their own
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
        return from_url(settings().published_url, client_options=CLIENT, retry_config=RETRY)
    Path(folder).mkdir(parents=True, exist_ok=True)
    return LocalStore(folder)


@cache
def _local() -> str | None:
    """The folder that a file: URL names; None for an object store."""
    url = settings().published_url
    return unquote(urlsplit(url).path) if url.startswith("file:") else None


def is_folder() -> bool:
    """Whether pages are files of this machine, which are read in no time, and not objects elsewhere."""
    return _local() is not None


def get(name: str) -> Stored | None:
    """The object of that name, or None."""
    folder = _local()
    try:
        return _read(f"{folder}/{name}") if folder else _fetch(name)
    except FileNotFoundError as error:
        if in_words(error):  # it is the bucket that is missing
            raise
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
    """nginx's own for the same file, second and size, so that the front and Flask never disagree."""
    return f"{int(about.st_mtime):x}-{about.st_size:x}"


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
    folder = _local()
    if folder:
        _write(f"{folder}/{name}", content)
    else:
        obstore.put(_store_of(os.getpid()), name, content, attributes={"Content-Type": content_type})


def _write(path: str, content: bytes) -> None:
    """Replace a file whole, by one that is at least a second younger: `_tag` tells seconds apart, and no less."""
    draft = f"{path}.{os.getpid()}-{random.token_hex(4)}"
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    moment = time.time()
    with contextlib.suppress(FileNotFoundError):
        moment = max(moment, os.stat(path).st_mtime + 1)  # noqa: PTH116
    try:
        Path(draft).write_bytes(content)
        os.utime(draft, (moment, moment))
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def names(prefix: str) -> Iterator[str]:
    """Every object whose name begins with these folders."""
    for some in obstore.list(_store_of(os.getpid()), prefix):
        yield from (item["path"] for item in some)


def remove(name: str) -> None:
    """Once more does no harm."""
    with contextlib.suppress(FileNotFoundError):
        obstore.delete(_store_of(os.getpid()), name)


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


def cache_tag(site: str, thread: str) -> str:
    """What a CDN knows everything of a thread by."""
    return f"greenroom-{site}-{_digest(site, thread)}"


def _folder(site: str, thread: str) -> str:
    digest = _digest(site, thread)
    return f"{site}/{digest[:2]}/{digest}"


def _digest(site: str, thread: str) -> str:
    """A hash, since a thread's key may hold anything; the front computes it too (deploy/front/published.js)."""
    return hashlib.sha256(f"{site}\0{thread}".encode()).hexdigest()[:40]
