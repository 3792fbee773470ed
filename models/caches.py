"""The caches of this process, and one call that empties them all.

A cache registers itself with the function that empties it. Tests call `forget` between two
databases. Caches of pure functions need no entry: their values never become wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cachetools import FIFOCache

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_clearing: list[Callable[[], object]] = []


def register(clear: Callable[[], object]) -> None:
    """Let `forget` call this function, too."""
    _clearing.append(clear)


def forget() -> None:
    """Empty every registered cache."""
    for clear in _clearing:
        clear()


def peek(cache: FIFOCache[_Key, _Value], key: _Key) -> _Value | None:
    """Return the value of that key without taking a lock.

    Reading a FIFOCache does not change it. Its own `get` looks twice, and another thread may remove
    the key between the two looks.
    """
    try:
        return cache[key]
    except KeyError:
        return None
