"""The storage of published threads: a folder or an object store, and the names in it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets as random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

import obstore
import orjson
from cachetools import FIFOCache
from obstore.store import LocalStore, ObjectStore, from_url

from models import caches
from models.runtime import part
from models.settings import settings
from models.store.faults import in_words

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# Give up after seconds if a store does not answer: a reader waits for it, and a publisher's lease
# runs out meanwhile. Plain http must be allowed explicitly, depending on the endpoint's own URL.
CLIENT: ClientConfig = {"connect_timeout": "2s", "timeout": "4s", "allow_http": True}
RETRY: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=10)}

# One file cannot be read although the folder can. Its page can be written again.
UNREADABLE = {errno.EACCES, errno.EIO, errno.EISDIR, errno.ELOOP}
MOST_CHECKED = 10_000  # tags of objects that were checked and are sound

TOPS_A_PAGE, REPLIES_A_PAGE = 25, 50  # further replies are in separate objects
MOST_KEPT, MOST_BYTES_KEPT = 200, 100_000  # at most 20 MB of the pages that were read last


class Stored(NamedTuple):
    """An object's bytes and the tag that changes with them."""

    content: bytes
    tag: str


class Damaged(OSError):
    """Raised for an object that differs from what was stored. `name` is the object's name, `why`
    ends a sentence about it.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name, self.why = name, why


_lock = threading.Lock()  # for writing to the caches
_kept: FIFOCache[str, Stored] = FIFOCache(MOST_KEPT)  # by path
# By name: the tag with which an object was checked and found sound.
_sound: FIFOCache[str, str] = FIFOCache(MOST_CHECKED)
caches.register(_kept.clear)
caches.register(_sound.clear)


@part
def store() -> ObjectStore:
    """Return the object store. Its threads do not survive a fork."""
    folder = _local()
    if folder is None:
        return from_url(settings().published_url, client_options=CLIENT, retry_config=RETRY)
    Path(folder).mkdir(parents=True, exist_ok=True)
    return LocalStore(folder)


@part
def _local() -> str | None:
    """Return the folder that a file: URL names, or None for an object store."""
    url = settings().published_url
    return unquote(urlsplit(url).path) if url.startswith("file:") else None


def is_folder() -> bool:
    """Whether pages are files on this machine, which are fast to read, and not objects
    elsewhere.
    """
    return _local() is not None


def get(name: str) -> Stored | None:
    """Return the object of that name, or None. Raises `Damaged`."""
    folder = _local()
    try:
        return _read(f"{folder}/{name}", name) if folder else _checked(name, _fetch(name))
    except FileNotFoundError as error:
        if in_words(error):  # the bucket itself is missing
            raise
        return None


def look(name: str) -> Stored | Damaged | None:
    """Read the object of that name again, without caching it."""
    folder = _local()
    try:
        return _check(name, _open(f"{folder}/{name}", name) if folder else _fetch(name))
    except Damaged as damage:
        return damage
    except FileNotFoundError as error:
        if in_words(error):
            raise
        return None


def _read(path: str, name: str) -> Stored:
    """Read a file of the folder, from the cache while the file is unchanged. Checking that costs a
    tenth of reading.
    """
    tag = _tag(os.stat(path))  # noqa: PTH116 — pathlib would cost as much again
    kept = caches.peek(_kept, path)
    if kept is None or kept.tag != tag:
        kept = _checked(name, _open(path, name))
        _keep(path, kept)
    return kept


def _open(path: str, name: str) -> Stored:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            tag = _tag(os.fstat(file.fileno()))  # it may have been replaced since the check
            return Stored(file.read(), tag)
    except OSError as error:
        if error.errno in UNREADABLE:
            raise Damaged(name, f"cannot be read ({error.strerror})") from error
        raise


def _checked(name: str, stored: Stored) -> Stored:
    """Check a page that was not checked before. A page is parsed once after each write, not for
    each reader.
    """
    if caches.peek(_sound, name) != stored.tag:
        _check(name, stored)
        with _lock:
            _sound[name] = stored.tag
    return stored


def _check(name: str, stored: Stored) -> Stored:
    """Raise `Damaged` unless these bytes can be the object of that name."""
    folder, _, file = name.rpartition("/")
    stem, _, kind = file.partition(".")
    if not folder or kind not in {"json", "atom"}:
        return stored
    if not stored.content:
        raise Damaged(name, "is empty")
    thread = (
        _thread_of_feed(stored.content) if kind == "atom" else _thread_of_page(stored.content, stem)
    )
    if thread is None:
        raise Damaged(name, "is truncated or overwritten")
    if not f"{folder}/".startswith(f"{_folder(name.partition('/')[0], thread)}/"):
        raise Damaged(name, "is another thread's")
    return stored


def _thread_of_page(content: bytes, stem: str) -> str | None:
    """Return the thread that a page belongs to; None if this is not a page, or not one of ours."""
    try:
        page = orjson.loads(content)
        is_right = content.startswith(b'{"thread":') and b',"page":' in content
        is_right = (
            is_right
            and isinstance(page["comments"], list)
            and stem in {"newest", str(page["page"])}
        )
        return str(page["thread"]) if is_right else None
    except (ValueError, LookupError, TypeError):
        return None


def _thread_of_feed(content: bytes) -> str | None:
    own = _FEED_ID.search(content)
    is_whole = (
        content.startswith(b"<?xml") and content.endswith(b"</feed>") and b"\0" not in content
    )
    try:
        content.decode()
        return unquote_plus(own[1].decode(), errors="strict") if own and is_whole else None
    except ValueError:
        return None


_FEED_ID = re.compile(rb"<id>[^<]*[?]thread=([^<&]*)</id>")  # the first one is the feed's own


def _tag(about: os.stat_result) -> str:
    """Return nginx's own tag for the same file, made of second and size, so that the front and
    Flask never disagree.
    """
    return f"{int(about.st_mtime):x}-{about.st_size:x}"


def _keep(path: str, stored: Stored) -> None:
    if len(stored.content) <= MOST_BYTES_KEPT:
        with _lock:
            _kept[path] = stored


def _fetch(name: str) -> Stored:
    answer = obstore.get(store(), name)
    return Stored(bytes(answer.bytes()), (answer.meta["e_tag"] or "").strip('"'))


def put(name: str, content: bytes, content_type: str) -> None:
    """Replace the whole object: a reader gets the old bytes or the new ones."""
    folder = _local()
    if folder:
        _write(f"{folder}/{name}", content)
    else:
        obstore.put(store(), name, content, attributes={"Content-Type": content_type})


def _write(path: str, content: bytes) -> None:
    """Replace the whole file by one that is at least a second younger, because `_tag` distinguishes
    only seconds.
    """
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
    """Return every object whose name begins with these folders."""
    for some in obstore.list(store(), prefix):
        yield from (item["path"] for item in some)


def remove(name: str) -> None:
    """Remove the object. Removing it again does no harm."""
    with contextlib.suppress(FileNotFoundError):
        obstore.delete(store(), name)


def newest_name(site: str, thread: str) -> str:
    """The name of the page that readers see first, complete with the thread's state and count."""
    return f"{_folder(site, thread)}/newest.json"


def page_name(site: str, thread: str, page: int) -> str:
    """The name of one page of top-level comments, numbered from the oldest."""
    return f"{_folder(site, thread)}/{page}.json"


def replies_name(site: str, thread: str, top: str, page: int) -> str:
    """The name of further replies under a top-level comment, numbered from the oldest."""
    return f"{_folder(site, thread)}/{top}/{page}.json"


def feed_name(site: str, thread: str) -> str:
    return f"{_folder(site, thread)}/feed.atom"


def cache_tag(site: str, thread: str) -> str:
    """The tag by which a CDN knows all pages of a thread."""
    return f"greenroom-{site}-{_digest(site, thread)}"


def _folder(site: str, thread: str) -> str:
    digest = _digest(site, thread)
    return f"{site}/{digest[:2]}/{digest}"


def _digest(site: str, thread: str) -> str:
    """Return a hash, because a thread's key may contain anything. The front computes it, too
    (deploy/front/published.js).
    """
    return hashlib.sha256(f"{site}\0{thread}".encode()).hexdigest()[:40]
