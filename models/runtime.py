"""Everything that one process owns: its settings, and the parts made from them (engine, storage,
limits, …).

    @part
    def store() -> ObjectStore:
        return from_url(settings().published_url)

The first call of `store()` makes the part, and later calls return the same one. All parts belong to
the process's one `Runtime`; a test replaces the runtime, and every part is then made again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from models import caches

T = TypeVar("T")
_MISSING = object()


class Runtime:
    """The parts that this process has made so far.

    A part belongs to one process: threads, locks and connections do not survive a fork. A forked
    process keeps only parts that are marked as `inherited`.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._parts: dict[Part[Any], object] = {}
        self._making: dict[Part[Any], threading.RLock] = {}

    def get(self, wanted: Part[T]) -> T:
        """Return the part, and make it first if needed. Several threads get the same one."""
        if self._pid != os.getpid():
            self._leave_the_parent()
        made = self._parts.get(wanted, _MISSING)
        if made is not _MISSING:
            return cast("T", made)
        with self._making.setdefault(wanted, threading.RLock()):
            if wanted not in self._parts:
                self._parts[wanted] = wanted.make()
            return cast("T", self._parts[wanted])

    def drop(self, unwanted: Part[Any]) -> None:
        """Forget one part, so that the next call makes a new one."""
        self._parts.pop(unwanted, None)

    def _leave_the_parent(self) -> None:
        """Replace the locks in a forked process, because another thread of the parent may have held
        them.
        """
        inherited: dict[Part[Any], object] = {}
        for kind, made in self._parts.items():
            if kind.inherit:
                kind.inherit(made)
                inherited[kind] = made
        self._parts, self._making = inherited, {}
        self._pid = os.getpid()


class Part(Generic[T]):
    """A part, defined by the function that makes it. `inherit` prepares it for a forked process."""

    def __init__(self, make: Callable[[], T], inherit: Callable[[T], None] | None = None) -> None:
        self.make = make
        self.inherit = inherit
        self.__doc__ = make.__doc__
        self.__name__ = make.__name__

    def __call__(self) -> T:
        return _runtime.get(self)

    def cache_clear(self) -> None:
        """Forget the part, as `functools.cache` would: the next call makes a new one."""
        _runtime.drop(self)


def part(make: Callable[[], T]) -> Part[T]:
    """Decorate the function that makes a part."""
    return Part(make)


def inherited(prepare: Callable[[T], None]) -> Callable[[Callable[[], T]], Part[T]]:
    """Decorate the function that makes a part which forked processes keep. `prepare` makes the
    part safe in the child process.
    """
    return lambda make: Part(make, prepare)


def replace() -> None:
    """Start a new runtime and empty every cache, so that nothing made earlier is used again."""
    global _runtime  # noqa: PLW0603 - a process has one
    _runtime = Runtime()
    caches.forget()


_runtime = Runtime()
