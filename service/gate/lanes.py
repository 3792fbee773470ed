"""Threads that run Flask, in groups that never use each other's threads, so that requests that wait
for the database never stop readers.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import monotonic

TICK_SECONDS = 0.25
MOST_WAITING = 2048


@dataclass(slots=True)
class Job:
    """Work for a thread. `done` is set when it ends; its result is False if it never started."""

    work: Callable[[], None]
    done: asyncio.Future[bool]
    since: float = field(default_factory=monotonic)


class Lane:
    """A few threads and the jobs that wait for them, in order. A thread is started when it is first
    needed.
    """

    def __init__(self, name: str, *, threads: int, patience: float) -> None:
        """`patience` is how many seconds a job may wait for a thread."""
        self._name, self._most, self._patience = name, threads, patience
        self._line: deque[Job] = deque()
        self._tokens: SimpleQueue[bool] = (
            SimpleQueue()
        )  # one for each waiting job, and sometimes a few too many
        self._guard = threading.Lock()
        self._idle = self._started = 0
        self._is_watched = False

    async def run(self, work: Callable[[], None]) -> bool:
        """Run `work` in a thread of this lane. Return False if it did not start in time. Call this
        on the event loop.
        """
        loop = asyncio.get_running_loop()
        if len(self._line) >= MOST_WAITING:
            return False
        job = Job(work, loop.create_future())
        self._line.append(job)
        self._tokens.put(True)
        if self._started < self._most and len(self._line) > self._idle:
            self._start()
        if not self._is_watched:
            self._is_watched = True
            loop.call_later(TICK_SECONDS, self._watch)
        return await job.done

    def _start(self) -> None:
        self._started += 1
        threading.Thread(
            target=self._work, name=f"{self._name}-{self._started}", daemon=True
        ).start()

    def _work(self) -> None:
        while True:
            self._count_idle(1)
            self._tokens.get()
            self._count_idle(-1)
            try:
                job = self._line.popleft()
            except IndexError:
                continue  # it waited too long and got its answer
            job.work()
            with contextlib.suppress(RuntimeError):  # the loop was closed because the process ends
                job.done.get_loop().call_soon_threadsafe(_set, job.done, True)

    def _count_idle(self, more: int) -> None:
        with self._guard:
            self._idle += more

    def _watch(self) -> None:
        """Answer jobs that waited too long. This runs only while a job waits, so an idle process is
        never woken.
        """
        latest = monotonic() - self._patience
        while self._line:
            try:
                job = self._line.popleft()
            except IndexError:
                break
            if job.since > latest:
                self._line.appendleft(job)
                break
            _set(job.done, False)
        self._is_watched = bool(self._line)
        if self._is_watched:
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._watch)


def _set(done: asyncio.Future[bool], began: bool) -> None:
    if not done.done():
        done.set_result(began)
