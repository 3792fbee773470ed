"""The sender: limits the attempts per endpoint, decides when to look again, and makes the attempts.

One thread with an event loop makes the requests, so an endpoint that never answers costs a socket
and no thread. A second thread writes and reads the database, one round at a time
(`worker/webhooks/deliveries.py`). Attempts that finish while a round is being written go together
into the next one, so there are as few transactions as possible.

Nothing here needs to be remembered: due deliveries are in the database, and a ring or the sweep
finds them again.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog

from models.failpoints import failpoint
from models.settings import settings
from models.store.database import now
from models.text.numbers import digits_to_int
from models.webhooks import signatures
from worker.bell import DELIVER, ring
from worker.webhooks import chats
from worker.webhooks.connections import Answer
from worker.webhooks.deliveries import MOST_TOLD, Job, Outcome, body, round_of
from worker.webhooks.posting import Poster
from worker.webhooks.targets import Unsent

MOST_IN_FLIGHT = 500  # to all endpoints together
MOST_ENDPOINTS = 50  # in one round
FAILURES = 5  # failures in a row, after which an endpoint gets only single attempts
# Parallel attempts to an endpoint that has not accepted anything yet, so that many dead ones do not
# use up all.
UNPROVED = 4
PROBES = 2  # parallel attempts to an endpoint that fails
# An endpoint that answers this fast gets more deliveries claimed ahead, while a round is written.
QUICK_MS = 250
AHEAD = 4
MOST_AHEAD_SECONDS = (
    4.0  # claimed but not started by then: returned, because its lease would not cover the attempt
)
# Deliveries due later than this are left to the sweep; otherwise a dead endpoint's backlog would be
# kept here.
SOON_SECONDS = 60
REST_SECONDS = 1.0  # pause after a round that failed because the database is down
END_SECONDS = 2.0  # how long unfinished attempts may take when the sender stops
ABOUT_US = {"Content-Type": "application/json", "User-Agent": "Greenroom"}
log = structlog.get_logger()


class Sender(threading.Thread):
    """Sends the due deliveries of the endpoints that it is woken for, until it is stopped."""

    def __init__(self, *, until_idle: bool = False) -> None:
        super().__init__(name="sender", daemon=True)
        self._until_idle = until_idle
        self._poster = Poster()
        self._guard = threading.Lock()
        self._woken: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell: asyncio.Event | None = None
        self._ending = False
        self._in_flight: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._proved: set[str] = set()
        self._quick: set[str] = set()
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._asked: dict[str, None] = {}
        self._later: list[tuple[datetime, str]] = []
        self._done: list[Outcome] = []
        self._tasks: dict[asyncio.Task[None], Job] = {}

    def wake(self, endpoint_ids: Iterable[str]) -> None:
        """Look for due deliveries of these endpoints. Call it from any thread; it returns at
        once.
        """
        with self._guard:
            self._woken.update(endpoint_ids)
        self._ring()

    def stop(self) -> None:
        """Claim no more, wait for unfinished attempts, and return the deliveries of those that do
        not finish.
        """
        self._ending = True
        self._ring()
        if self.is_alive():
            self.join(2 * END_SECONDS)

    def _ring(self) -> None:
        loop, bell = self._loop, self._bell
        if loop and bell and not loop.is_closed():
            loop.call_soon_threadsafe(bell.set)

    def run(self) -> None:
        asyncio.run(self.send())

    async def send(self) -> None:
        self._loop, self._bell = asyncio.get_running_loop(), asyncio.Event()
        self._bell.set()  # for those who woke the sender before
        with ThreadPoolExecutor(1, thread_name_prefix="deliveries") as ledger:
            async with self._poster:
                while not self._ending:
                    await self._rest()
                    await self._round(ledger)
                    if self._until_idle and not (self._tasks or self._done or self._asked):
                        break
                await self._come_home(ledger)

    async def _rest(self) -> None:
        """Wait until someone rings, an attempt finishes, or the first postponed endpoint is due."""
        assert self._bell
        pause = max(0.0, (self._later[0][0] - now()).total_seconds()) if self._later else None
        if self._until_idle:
            pause = 0.0 if not self._tasks else None
        if pause is None or pause > 1:
            self._poster.close_idle()
        try:
            async with asyncio.timeout(pause):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()

    async def _round(self, ledger: ThreadPoolExecutor) -> None:
        assert self._loop
        self._note_who_asked()
        outcomes, self._done = self._done, []
        room = self._room()
        if not outcomes and not room:
            return
        for endpoint in room:
            self._asked.pop(endpoint, None)
        try:
            done = await self._loop.run_in_executor(ledger, round_of, outcomes, room)
        except Exception as error:
            log.exception("delivering.failed", count=len(outcomes), exc_info=error)
            self._done = outcomes + self._done
            self._asked.update(dict.fromkeys(room))
            await asyncio.sleep(REST_SECONDS)
            self._ring()
            return
        soon = now() + timedelta(seconds=SOON_SECONDS)
        for later in done.later:
            if later[0] < soon:
                heapq.heappush(self._later, later)
        self._asked.update(dict.fromkeys(done.full))
        for job in done.jobs:
            self._start(job)
        if self._room():
            self._ring()

    def _note_who_asked(self) -> None:
        with self._guard:
            woken, self._woken = self._woken, set()
        self._asked.update(dict.fromkeys(woken))
        at = now()
        while self._later and self._later[0][0] <= at:
            self._asked[heapq.heappop(self._later)[1]] = None

    def _room(self) -> dict[str, int]:
        """Return how many more deliveries each endpoint with waiting ones may get."""
        left = MOST_IN_FLIGHT - self._in_flight.total()
        room: dict[str, int] = {}
        for endpoint in self._asked:
            most = self._most(endpoint)
            places = min(most - self._in_flight[endpoint], left)
            if places > 0:
                room[endpoint] = places
                left -= places
            if len(room) == MOST_ENDPOINTS:
                break
        return room

    def _most(self, endpoint: str) -> int:
        if self._failures.get(endpoint, 0) >= FAILURES:
            return PROBES
        most = settings().webhook_in_flight
        if endpoint not in self._proved:
            return min(most, UNPROVED)
        return most * (AHEAD if endpoint in self._quick else 1)

    def _start(self, job: Job) -> None:
        self._in_flight[job.endpoint.id] += 1
        task = asyncio.create_task(self._attempt(job))
        self._tasks[task] = job
        task.add_done_callback(lambda task: self._tasks.pop(task, None))

    async def _attempt(self, job: Job) -> None:
        endpoint, taken = job.endpoint.id, time.monotonic()
        turn = self._turns.setdefault(endpoint, asyncio.Semaphore(settings().webhook_in_flight))
        async with turn:
            is_late = time.monotonic() - taken > MOST_AHEAD_SECONDS
            outcome = Outcome(job, now(), 0) if is_late else await attempt(self._poster, job)
        self._in_flight[endpoint] -= 1
        if not self._in_flight[endpoint]:
            del self._in_flight[endpoint], self._turns[endpoint]
        if outcome.is_success:
            self._failures.pop(endpoint, None)
            self._proved.add(endpoint)
        elif outcome.was_tried:
            self._failures[endpoint] += 1
            self._proved.discard(endpoint)
        if outcome.is_success and outcome.ms < QUICK_MS:
            self._quick.add(endpoint)
        else:
            self._quick.discard(endpoint)
        if job.endpoint.is_ordered:
            self._asked[endpoint] = None  # the deliveries that waited for this one
        self._done.append(outcome)
        assert self._bell
        self._bell.set()

    async def _come_home(self, ledger: ThreadPoolExecutor) -> None:
        """Wait for unfinished attempts. Those that take too long are due again at once, for another
        sender.
        """
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=END_SECONDS)
        for task, job in list(self._tasks.items()):
            task.cancel()
            self._done.append(Outcome(job, now(), 0))
        if self._done:
            assert self._loop
            try:
                await self._loop.run_in_executor(ledger, round_of, self._done, {})
            except Exception as error:  # their leases expire by themselves
                log.exception("delivering.failed", count=len(self._done), exc_info=error)


async def attempt(poster: Poster, job: Job) -> Outcome:
    """Make one request and return its result. Raises only if it is cancelled."""
    at, began = now(), time.perf_counter()
    try:
        answer = await _post(poster, job, at)
    except Unsent as unsent:
        return Outcome(job, at, _ms(began), error=str(unsent))
    except (
        Exception
    ) as error:  # one delivery whose message cannot be built must not stop the others
        log.exception("attempt.failed", exc_info=error)
        return Outcome(
            job, at, _ms(began), error=(f"The message could not be sent ({type(error).__name__}).")
        )
    failpoint("delivered")
    told = answer.body[:MOST_TOLD].decode("utf-8", "replace").replace("\0", "\ufffd")
    waits = retry_after(answer, at) if not 200 <= answer.status < 300 else 0.0
    return Outcome(job, at, _ms(began), answer.status, answer=told, retry_after=waits)


async def _post(poster: Poster, job: Job, at: datetime) -> Answer:
    endpoint = job.endpoint
    said = [due.said for due in job.deliveries if due.said is not None]
    if not said:
        raise Unsent("This event has been deleted from the event log.")
    if endpoint.is_chat:
        return await poster.post(
            endpoint.url,
            {**endpoint.sealed.headers, **ABOUT_US},
            chats.message(endpoint.format, said),
        )
    due = job.deliveries[0]
    content = body(due)
    signed = signatures.headers(
        endpoint.sealed.keys(at), due.event_id, int(at.timestamp()), content
    )
    return await poster.post(
        endpoint.url, {**endpoint.sealed.headers, **ABOUT_US, **signed}, content
    )


def _ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def retry_after(answer: Answer, at: datetime) -> float:
    """Return the seconds that the header asks for, as a number or a date (RFC 9110, 10.2.3); 0 if
    it is missing or makes no sense.
    """
    given = answer.headers.get("retry-after", "").strip()
    if (seconds := digits_to_int(given)) is not None:
        return float(seconds)
    try:
        return max(0.0, (parsedate_to_datetime(given) - at).total_seconds())
    except (TypeError, ValueError):
        return 0.0


# One sender per process, and only if it is needed.

_guard = threading.Lock()
_sender: list[Sender] = []


def sender() -> Sender:
    """Return this process's sender; the first call starts it."""
    with _guard:
        if not (_sender and _sender[0].is_alive()):
            _sender[:] = [Sender()]
            _sender[0].start()
        return _sender[0]


def stop() -> None:
    with _guard:
        running = _sender[:]
        _sender.clear()
    for each in running:
        each.stop()


def deliver_soon(endpoint_ids: Iterable[str]) -> None:
    """Let this process deliver, if it has a sender; otherwise ring for a worker."""
    wanted = list(dict.fromkeys(endpoint_ids))
    if not wanted:
        return
    if _sender:
        _sender[0].wake(wanted)
    else:
        ring(DELIVER, wanted)


def deliver_now(endpoint_ids: Iterable[str]) -> None:
    """Send what is due to these endpoints from here, and return when every attempt is recorded."""
    here = Sender(until_idle=True)
    here.wake(endpoint_ids)
    asyncio.run(here.send())
