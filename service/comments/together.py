"""Group commit: requests that write at the same moment share one transaction and one disk sync."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import TimeoutError as WaitedTooLong

from models.store import deadlines
from models.store.database import OutcomeUnknown

GRACE_SECONDS = 1.0  # past its own deadline, for a leader that is giving up just now

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class _Turn(Generic[Item, Outcome]):
    """One request's item, and its result once `woken` is set. Without a result it is this request's
    turn to lead.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.woken = threading.Event()
        self.outcome: Outcome | BaseException | None = None


class Together(Generic[Item, Outcome]):
    """The first request works for all that wait at that moment; the next one that arrived meanwhile
    leads the next batch.

    A single request pays nothing for it: no thread is started and none is handed the work. Requests
    are served in order of arrival, so none starves.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Outcome | BaseException]], *, most: int
    ) -> None:
        self._work, self._most = work, most
        self._guard = threading.Lock()
        self._waiting: list[_Turn[Item, Outcome]] = []
        self._busy = False

    def do(self, item: Item) -> Outcome:
        """Return the result of `work` for this item, or raise it if it is an exception.

        At the thread's deadline it raises `WaitedTooLong` if no leader has begun with the item, and
        `OutcomeUnknown` if one has. The leader is always the request that came first, so its own
        deadline limits the whole batch.
        """
        turn = _Turn[Item, Outcome](item)
        with self._guard:
            self._waiting.append(turn)
            leads, self._busy = not self._busy, True
        if not leads:
            self._wait(turn)
        if turn.outcome is None:
            self._lead()
        if isinstance(turn.outcome, BaseException):
            raise turn.outcome
        assert turn.outcome is not None
        return turn.outcome

    def _wait(self, turn: _Turn[Item, Outcome]) -> None:
        seconds = deadlines.seconds_left()
        if turn.woken.wait(None if seconds == math.inf else seconds):
            return
        with self._guard:
            if turn.woken.is_set():
                return
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise WaitedTooLong("those who came before took too long")
        if not turn.woken.wait(GRACE_SECONDS):
            raise OutcomeUnknown(
                "COMMIT", None, TimeoutError("another request is still committing this one")
            )

    def _lead(self) -> None:
        with self._guard:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            outcomes = self._work([turn.item for turn in batch])
        except BaseException as error:  # each of them is raised in its own request
            outcomes = [error] * len(batch)
        for turn, outcome in zip(batch, outcomes, strict=True):
            turn.outcome = outcome
        with self._guard:  # a request that is woken here has not given up, and will not any more
            following = self._waiting[:1]
            self._busy = bool(following)
            for turn in [*following, *batch]:
                turn.woken.set()
