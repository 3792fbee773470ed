"""`ring()`: tell a worker that work waits, by the task's name, without importing the task. A
message may be lost, so the database row decides what is due.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from models.failpoints import failpoint
from models.runtime import part
from models.settings import settings
from models.store.faults import in_words

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection

SCREEN, PUBLISH, DELIVER, LEARN, TEACH = "screen", "publish", "deliver", "learn", "teach"
MAIL = "mail"
GATHER_SECONDS = 0.004  # long enough to collect many posts in one message, too short to notice
QUIET_SECONDS = 1.0  # pause after a failed ring; the sweep finds the work in the meantime
MOST_WAITING = 20_000
MOST_A_MESSAGE = 100
dropped = dict.fromkeys(
    ("no broker", "not taken", "broker silent", "too many waiting"), 0
)  # for /metrics; approximate
log = structlog.get_logger()
_importing = threading.Lock()


def ring(task: str, ids: Iterable[str | int]) -> bool:
    """Send the ids now, in messages of at most `MOST_A_MESSAGE`. Return False if the broker did not
    take them; never raise.
    """
    waiting, start = list(ids), 0
    if not settings().redis_url:
        dropped["no broker"] += len(waiting)
        return False
    try:
        for start in range(0, len(waiting), MOST_A_MESSAGE):
            failpoint(f"ring_{task}")
            _bell().send_task(task, [waiting[start : start + MOST_A_MESSAGE]])
    except Exception as error:  # kombu passes on every transport's own errors
        dropped["not taken"] += len(waiting) - start
        told = {
            "error": type(error).__name__,
            "reason": in_words(error) or "the broker did not take this",
        }
        log.warning("bell.silent", task=task, count=len(waiting), **told)
        return False
    return True


def ring_soon(task: str, id_: str | int) -> None:
    """Leave it to a background thread and return at once, whatever the broker does."""
    _dispatcher().leave(task, id_)


class _Dispatcher(threading.Thread):
    """Collects ids for a few milliseconds and rings once for all of them."""

    def __init__(self) -> None:
        super().__init__(name="bell", daemon=True)
        self._waiting: queue.Queue[tuple[str, str | int]] = queue.Queue(MOST_WAITING)
        self._silent_until = 0.0

    def leave(self, task: str, id_: str | int) -> None:
        if time.monotonic() < self._silent_until:
            dropped["broker silent"] += 1
            return
        try:
            self._waiting.put_nowait((task, id_))
        except queue.Full:  # dropped: its row is committed, and the sweep finds it
            dropped["too many waiting"] += 1

    def run(self) -> None:
        while True:
            self.ring_for(self._gather())

    def _gather(self) -> dict[str, list[str | int]]:
        gathered: dict[str, list[str | int]] = defaultdict(list)
        task, id_ = self._waiting.get()
        time.sleep(GATHER_SECONDS)
        gathered[task].append(id_)
        for _ in range(self._waiting.qsize()):
            task, id_ = self._waiting.get_nowait()
            gathered[task].append(id_)
        return gathered

    def ring_for(self, gathered: dict[str, list[str | int]]) -> None:
        for task, ids in gathered.items():
            if not ring(task, ids):
                self._silent_until = time.monotonic() + QUIET_SECONDS


@part
def _dispatcher() -> _Dispatcher:
    dispatcher = _Dispatcher()
    dispatcher.start()
    return dispatcher


@part
def _bell() -> Celery:
    """Return a Celery application that only sends. Its connections must not be shared after a
    fork.
    """
    # Celery replaces its own module during the first import, and a thread that imports it at the
    # same time gets the unfinished one.
    with _importing:
        # Importing it takes half of this process's start time, and only senders need it.
        from celery import Celery  # noqa: PLC0415

    from worker.broker import RING_OPTIONS, common  # noqa: PLC0415

    bell = Celery("bell", set_as_current=False)
    # No heartbeats: nobody would send them while there is nothing to ring for, and RabbitMQ would
    # close the connection.
    bell.conf.update(
        common(),
        task_publish_retry=False,
        broker_transport_options=RING_OPTIONS,
        broker_heartbeat=0,
    )
    return bell


def messages_waiting(queues: Iterable[str]) -> int:
    """Return how many messages wait in the queues; 0 if the broker does not tell."""
    if not settings().redis_url:
        return 0
    try:
        with _bell().connection_for_write() as connection:
            return sum(_messages_waiting(connection, queue) for queue in queues)
    except Exception:  # kombu passes on every transport's own errors
        return 0


def _messages_waiting(connection: Connection, queue: str) -> int:
    try:
        channel: Any = connection.channel()
        return int(channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:  # there is none: so says Redis of an empty one
        return 0


def trouble() -> str | None:
    """Return why the broker does not answer within `SOCKET_SECONDS`, or None if it does."""
    if not settings().redis_url:
        return "GREENROOM_REDIS_URL is not set"
    try:
        with _bell().connection_for_write() as connection:
            connection.ensure_connection(max_retries=0, timeout=1)
    except Exception as error:  # kombu passes on every transport's own errors
        return in_words(error) or "the broker does not respond"
    return None
