"""Screen in a separate process comments that may end the process that screens them.

A worker starts an isolator only when it needs one. For each request the isolator forks a screener,
which screens the comments and may be ended by them. The isolator reports how it ended. It runs no
check itself, and ends with its worker.
"""

from __future__ import annotations

import mmap
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, NamedTuple

import orjson
import structlog
from sqlalchemy import literal, update
from sqlalchemy import select as select_rows
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from models.records import Comment
from models.settling.changes import Settled
from models.store.database import begin, engine, reading
from worker.screening import cpu_limit

WALL_SECONDS = 30  # for one comment alone, including waiting for the database and the network
MORE_BYTES = 512 * 2**20  # memory that a screener may use beyond what it starts with
MOST_UNSEEN = 3  # unfinished screenings of a comment alone of which no process could report the end
DATABASE_AWAY = os.EX_TEMPFAIL  # a screener's exit status
POLL_MS = 5
log = structlog.get_logger()


class Screening(NamedTuple):
    """The work of the screener, as functions: `prepare` loads what the checks of a comment need,
    `screen` screens comments together or one alone, `hand_over` gives a comment to a human, with
    the reason.
    """

    prepare: Callable[[str], object]
    screen: Callable[[Sequence[str], bool], list[Settled]]
    hand_over: Callable[[str, str], list[Settled]]


class Attempt(NamedTuple):
    """`finished` are the comments that were screened, or were not due for screening. `failure` says
    how the first of the others ended its screener. `is_lost` means that it ended for a reason that
    no comment caused.
    """

    finished: set[str]
    settled: list[Settled]
    failure: str | None = None
    is_lost: bool = False


class Isolation:
    """The worker's side of an isolator."""

    def __init__(self, asked: IO[bytes], answers: IO[bytes], ended: Callable[[], object]) -> None:
        self._asked, self._answers, self._ended = asked, answers, ended
        self._lock = threading.Lock()
        self.is_gone = False

    def attempt(self, comment_ids: Sequence[str], *, alone: bool) -> Attempt:
        """Screen the comments in one screener, each alone or all together, until one of them ends
        it.
        """
        finished: set[str] = set()
        settled: list[Settled] = []
        with self._lock, suppress(OSError, ValueError):  # a broken pipe, or closed meanwhile
            self._asked.write(orjson.dumps([alone, list(comment_ids)]) + b"\n")
            self._asked.flush()
            for answer in self._answered():
                if "status" in answer:
                    return _attempt(finished, settled, answer["status"])
                finished.update(answer["finished"])
                settled += [
                    Settled(**each | {"owed": tuple(each["owed"])}) for each in answer["settled"]
                ]
        self.is_gone = True
        return Attempt(finished, settled, is_lost=True)

    def _answered(self) -> Iterator[dict[str, Any]]:
        """Read the answers. A screener that was killed while it wrote leaves an incomplete line."""
        for line in self._answers:
            with suppress(orjson.JSONDecodeError):
                yield orjson.loads(line)

    def close(self) -> None:
        """End the isolator after it has answered."""
        with self._lock:
            self.is_gone = True
            for file in (self._asked, self._answers):
                with suppress(OSError):
                    file.close()
        self._ended()


def forked(screening: Screening) -> Isolation:
    """Fork an isolator that shares this process's memory and is ready at once. Only for a worker
    that has no threads yet.
    """
    engine().dispose()  # connections must not be shared after a fork
    (asked, asking), (answers, answering) = os.pipe(), os.pipe()
    if not (pid := os.fork()):
        try:
            os.close(asking)
            os.close(answers)
            serve(asked, answering, screening)
        finally:
            os._exit(0)
    os.close(asked)
    os.close(answering)
    return Isolation(os.fdopen(asking, "wb"), os.fdopen(answers, "rb"), lambda: os.waitpid(pid, 0))


def started() -> Isolation:
    """Start an isolator as a new program, for a worker that has threads. It is ready after about a
    second.
    """
    command = [sys.executable, "-m", "worker.screening.isolated"]
    # our own program
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    assert process.stdin
    assert process.stdout
    return Isolation(process.stdin, process.stdout, process.wait)


def _attempt(finished: set[str], settled: list[Settled], status: int) -> Attempt:
    if status == 0:
        return Attempt(finished, settled)
    if status == DATABASE_AWAY or (status == -signal.SIGALRM and not _database_answers()):
        return Attempt(finished, settled, is_lost=True)
    return Attempt(finished, settled, failure=_in_words(status))


def _in_words(status: int) -> str:
    """Return how a screener ended, as the end of a sentence about it."""
    if status == -cpu_limit.SIGNAL:
        return "used too much CPU time"
    if status == -signal.SIGALRM:
        return f"did not finish within {WALL_SECONDS} seconds"
    if status == -signal.SIGKILL:
        return "was killed, probably because it used too much memory"
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    return f"ended with exit status {status}"


def _database_answers() -> bool:
    try:
        with reading() as session:
            return session.execute(select_rows(literal(1))).scalar() == 1
    except SQLAlchemyError:
        return False


def serve(asked: int, answers: int, screening: Screening) -> None:
    """Run the isolator: handle requests until the worker has gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the worker gets them, too, and ends this process
    with mmap.mmap(-1, 64) as current, os.fdopen(asked, "rb") as requests:
        for line in requests:
            alone, comment_ids = orjson.loads(line)
            current[:] = bytes(64)
            if not (pid := os.fork()):
                os._exit(_screener(comment_ids, alone, answers, current, screening))
            status = _wait(pid, asked)
            if alone and status in {None, DATABASE_AWAY}:
                _take_back(current[:36].decode())
            if status is None:
                return
            os.write(answers, b"\n" + orjson.dumps({"status": status}) + b"\n")


def _wait(pid: int, asked: int) -> int | None:
    """Return the screener's exit status, or minus the signal that ended it. If the worker has gone,
    kill the screener and return None.
    """
    worker = select.poll()
    worker.register(asked, 0)  # to receive only its end
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if worker.poll(POLL_MS):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None


def _screener(
    comment_ids: list[str], alone: bool, answers: int, current: mmap.mmap, screening: Screening
) -> int:
    """Run the screener: screen, and report each comment that is finished. Return its exit
    status.
    """
    _limit_memory()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        for unit in [[each] for each in comment_ids] if alone else [comment_ids]:
            if alone:
                current[:36] = unit[0].encode()
                settled = _alone(unit[0], screening)
            else:
                settled = screening.screen(unit, False)
            answer = {"finished": unit, "settled": [each._asdict() for each in settled]}
            os.write(answers, orjson.dumps(answer) + b"\n")
    except OperationalError:
        return DATABASE_AWAY
    except BaseException as error:
        log.exception("screening.failed", exc_info=error)
        return 1
    return 0


def _alone(comment_id: str, screening: Screening) -> list[Settled]:
    """Screen a comment alone. The start is noted in the database, in case the whole machine or
    container dies.
    """
    began = update(Comment).where(Comment.id == comment_id, Comment.screen_due.is_not(None))
    began = began.values(screenings_alone=Comment.screenings_alone + 1)
    with begin(synced=False) as session:
        count = session.execute(began.returning(Comment.screenings_alone)).scalar()
    if count is None:
        return []
    if count > MOST_UNSEEN:
        return screening.hand_over(comment_id, f"did not finish ({MOST_UNSEEN} attempts)")
    screening.prepare(comment_id)
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    settled = screening.screen([comment_id], True)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return settled


def _take_back(comment_id: str) -> None:
    """Take back the count of this screening, because its end was not the comment's fault."""
    mine = update(Comment).where(Comment.id == comment_id, Comment.screenings_alone > 0)
    with suppress(SQLAlchemyError), begin(synced=False) as session:
        session.execute(mine.values(screenings_alone=Comment.screenings_alone - 1))


def _limit_memory() -> None:
    """Limit the memory, so that a comment that uses too much ends its screener and not the
    container. A crash leaves no core file.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError, StopIteration):  # there is no /proc, or a lower limit is set
        with open("/proc/self/status") as lines:  # noqa: PTH123 — a Path costs more
            held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
        resource.setrlimit(resource.RLIMIT_DATA, (held + MORE_BYTES, resource.RLIM_INFINITY))
