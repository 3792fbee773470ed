"""What one process owns: its settings, and the parts made of them (engine, storage, limits, …).

    @part
    def store() -> ObjectStore:
        return from_url(settings().published_url)

`store()` makes the part when somebody first asks and returns the same one from then on. All parts
belong to the process's one `Runtime`; a test replaces that, and every part is made anew.
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
    process keeps only parts that say they can be `inherited`.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._parts: dict[Part[Any], object] = {}
        self._making: dict[Part[Any], threading.RLock] = {}

    def get(self, wanted: Part[T]) -> T:
        """The part; made now if nobody has asked before. Several threads get the same one."""
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
        """Forget one part, so that it is made anew when somebody asks."""
        self._parts.pop(unwanted, None)

    def _leave_the_parent(self) -> None:
        """Another thread of the parent may have held any lock at the fork: these are new."""
        inherited: dict[Part[Any], object] = {}
        for kind, made in self._parts.items():
            if kind.inherit:
                kind.inherit(made)
                inherited[kind] = made
        self._parts, self._making = inherited, {}
        self._pid = os.getpid()


class Part(Generic[T]):
    """A part by the function that makes it. `inherit` prepares it for a forked process."""

    def __init__(self, make: Callable[[], T], inherit: Callable[[T], None] | None = None) -> None:
        self.make = make
        self.inherit = inherit
        self.__doc__ = make.__doc__
        self.__name__ = make.__name__

    def __call__(self) -> T:
        return _runtime.get(self)

    def cache_clear(self) -> None:
        """As of `functools.cache`: the next call makes the part anew."""
        _runtime.drop(self)


def part(make: Callable[[], T]) -> Part[T]:
    """Decorate the function that makes a part."""
    return Part(make)


def inherited(prepare: Callable[[T], None]) -> Callable[[Callable[[], T]], Part[T]]:
    """Decorate the function that makes a part which a forked process keeps, once `prepare` has
    made it safe there.
    """
    return lambda make: Part(make, prepare)


def replace() -> None:
    """Begin a new runtime, and empty every cache: nothing that was made before is used again."""
    global _runtime  # noqa: PLW0603 - a process has one
    _runtime = Runtime()
    caches.forget()


_runtime = Runtime()
