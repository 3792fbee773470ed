"""One ring does for many: what is asked for while the work goes on is done together, next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Gathering(Generic[Item]):
    """Lets one thread work while others only leave what they came with, and return.

    So batches grow by themselves when work comes faster than it is done: a batch of 60 comments
    costs a fifth of 60 batches of one. It takes a free thread to leave something: where each thread
    has work of one kind or another, messages wait outside and are done one by one. What a thread
    left behind when the process dies is found by sweep, like any lost message.
    """

    def __init__(self, work: Callable[[Sequence[Item]], object], *, most: int) -> None:
        self._work, self._most = work, most
        self._guard = threading.Lock()
        self._waiting: dict[Item, None] = {}
        self._busy = False

    def do(self, items: Sequence[Item]) -> None:
        """Do this work now, with whatever is left meanwhile, or leave it to the thread that is at
        it.
        """
        with self._guard:
            self._waiting.update(dict.fromkeys(items))
            if self._busy:
                return
            self._busy = True
        while batch := self._take():
            try:
                self._work(batch)
            except BaseException:
                with self._guard:
                    self._busy = False
                raise

    def _take(self) -> list[Item]:
        """The next batch; with none left the thread is free, and the next that comes will work."""
        with self._guard:
            batch = list(self._waiting)[: self._most]
            for item in batch:
                del self._waiting[item]
            self._busy = bool(batch)
            return batch
