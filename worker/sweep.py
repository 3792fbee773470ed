"""Find overdue work and do it. This needs no broker, and several sweeps at once are harmless."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from models.failpoints import failpoint
from models.mailing.smtp import can_send
from models.records import (
    AddressKey,
    Comment,
    ConsoleSession,
    Fingerprint,
    Heartbeat,
    Site,
    Thread,
    Ticket,
)
from models.settings import settings
from models.settling.changes import Settled
from models.settling.contacts import forgotten_contacts
from models.store.database import begin, insert_new, now, reading
from models.store.scrubbing import owe_scrubbing, scrub
from models.webhooks.owed import overdue_endpoints, release_published, shown_but_waiting
from worker.bell import DELIVER, LEARN, MAIL, PUBLISH, SCREEN, TEACH, ring
from worker.closing import close_old_threads
from worker.learning.learner import learn_soon, owe_judging, owe_learning
from worker.learning.teaching import draw_picks_of, remove_old_picks
from worker.lifeline import end
from worker.mail import sending as mail_sending
from worker.mail.retention import tidy_mails
from worker.mail.rounds import any_due
from worker.publishing.avatar_seeds import redraw_avatars
from worker.publishing.publishing import publish_threads
from worker.publishing.verifying import Verifier
from worker.screening.batches import take
from worker.screening.careful import careful
from worker.screening.screening import owing_pages, owing_webhooks, screen_alone, screen_ready
from worker.watchdog import Watchdog
from worker.webhooks import sending
from worker.webhooks.retention import tidy_webhooks

MOST_AT_ONCE = 500
RUNG_SECONDS = 10  # how long a message may take to arrive before the sweep rings again
UNHEARD_SECONDS = 30  # rung for more than once and still pending: the messages must be getting lost
TIDY_SECONDS = 600
log = structlog.get_logger()


def _screen_and_publish(comment_ids: Sequence[str]) -> None:
    """Screen and publish without ringing in between: with a silent broker, each ring costs a second
    and reaches nobody.
    """
    batch = take(comment_ids)
    _publish(screen_ready(batch.ready))
    _publish(screen_alone(batch.suspects))


def _publish(settled: Sequence[Settled]) -> None:
    IN_PLACE[PUBLISH](owing_pages(settled))
    if hearing := owing_webhooks(settled):
        sending.sender().wake(hearing)


_Record: TypeAlias = type[Comment | Thread | Site]
OWED: tuple[tuple[str, _Record, InstrumentedAttribute[datetime | None]], ...] = (
    (SCREEN, Comment, Comment.screen_due),
    (PUBLISH, Thread, Thread.publish_due),
    (LEARN, Site, Site.learn_due),
    (TEACH, Site, Site.teach_due),
)
IN_PLACE: dict[str, Callable[[Sequence[Any]], object]] = {
    SCREEN: _screen_and_publish,
    PUBLISH: publish_threads,
    LEARN: learn_soon,
    TEACH: draw_picks_of,
}


class Sweeper(threading.Thread):
    """A timer in every worker's main process."""

    def __init__(self, name: str, watchdog: Watchdog) -> None:
        super().__init__(name="sweep", daemon=True)
        self.worker, self.watchdog = name, watchdog
        self._ending = threading.Event()
        self._tidied: datetime | None = None
        self._verifier = Verifier()

    def run(self) -> None:
        pause = self._try(self._begin)
        while not self._ending.wait(pause):
            pause = self._try(self._sweep)

    def stop(self) -> None:
        self._ending.set()

    def _try(self, step: Callable[[], float]) -> float:
        """Run a step and return the seconds to pause after it. If it fails, the database is down,
        and the next round tries again.
        """
        try:
            return step()
        except Exception as error:
            log.exception("sweep.failed", exc_info=error)
            return settings().sweep_seconds

    def _begin(self) -> float:
        _beat(self.worker, swept=False)
        if careful():
            sweep(
                overdue_seconds=0
            )  # the broker gives no other worker the messages that the last one had taken
        return settings().sweep_seconds

    def _sweep(self) -> float:
        is_more = sweep()
        _beat(self.worker, swept=True)
        self._tidy()
        self._verifier.step_if_due()
        if is_more:
            return 0
        if self.watchdog.is_deaf(now()):
            log.error(
                "worker.deaf",
                reason=(
                    "messages are waiting, but this worker receives none, so it exits to be "
                    "restarted"
                ),
            )
            end()
        return settings().sweep_seconds

    def _tidy(self) -> None:
        at = now()
        if self._tidied is None or at - self._tidied > timedelta(seconds=TIDY_SECONDS):
            tidy(at)
            close_old_threads(at)
            owe_learning(at)
            remove_old_picks(at)
            owe_judging(at)
            self._tidied = at


def sweep(overdue_seconds: float | None = None) -> bool:
    """Ring again for overdue work. Do it here if the broker is silent or no worker listens. Return
    True if more is overdue.
    """
    at = now()
    is_more = False
    for task, record, due in OWED:
        ids = _overdue(record, due, at, overdue_seconds)
        if ids and (not ring(task, ids) or (task == SCREEN and _unheard(at))):
            _in_place(task, ids)
        is_more = is_more or len(ids) == MOST_AT_ONCE
    _sweep_deliveries(at)
    _sweep_mails(at)
    scrub(at)
    redraw_avatars(at)
    return is_more


def _overdue(
    record: _Record,
    due: InstrumentedAttribute[datetime | None],
    at: datetime,
    seconds: float | None = None,
) -> list[Any]:
    """Claim overdue rows by moving their due time, so that no other sweep rings for them at the
    same time.
    """
    before = at - timedelta(seconds=settings().overdue_seconds if seconds is None else seconds)
    with reading() as session:
        if session.execute(select(record.id).where(due < before).limit(1)).first() is None:
            return []
    oldest = select(record.id).where(due < before).order_by(due).limit(MOST_AT_ONCE)
    oldest = oldest.with_for_update(
        key_share=True, skip_locked=True
    )  # another process holds the lock and is working on the row
    later = before + timedelta(seconds=RUNG_SECONDS)
    claimed = (
        update(record)
        .where(record.id.in_(select(oldest.cte("oldest").c.id)))
        .values({due.key: later})
    )
    with begin(synced=False) as session:
        found = list(session.execute(claimed.returning(record.id)).scalars())
    failpoint(f"swept_{record.__tablename__}")
    return found


def _unheard(at: datetime) -> bool:
    """Whether a comment has waited so long that messages must be getting lost."""
    waiting = select(Comment.id).where(Comment.status == "pending", Comment.screenings == 0)
    waiting = waiting.where(
        Comment.screen_due.is_not(None), Comment.at < at - timedelta(seconds=UNHEARD_SECONDS)
    )
    with reading() as session:
        return session.execute(waiting.limit(1)).first() is not None


def _sweep_deliveries(at: datetime) -> None:
    """Ring for endpoints with due deliveries. If no worker takes the message, send from here.

    No due time moves, because an attempt is claimed by a lease: one ring too many does no harm.
    """
    with reading() as session:
        left = shown_but_waiting(session)
    if left:
        with begin(synced=False) as session:
            release_published(session, at, left)
    with reading() as session:
        owed = overdue_endpoints(session, at - timedelta(seconds=settings().overdue_seconds))
        unheard = (
            overdue_endpoints(session, at - timedelta(seconds=UNHEARD_SECONDS)) if owed else []
        )
    if here := unheard if ring(DELIVER, owed) else owed:
        sending.sender().wake(here)


def _sweep_mails(at: datetime) -> None:
    """Ring for mails that are due. If no worker takes the message, send from here: a mail is
    claimed by a lease, so one ring too many does no harm.
    """
    if not (can_send() and any_due(at)):
        return
    is_unheard = any_due(at - timedelta(seconds=UNHEARD_SECONDS))
    if not ring(MAIL, [1]) or is_unheard:
        mail_sending.wake()


def _in_place(task: str, ids: Sequence[str | int]) -> None:
    log.warning("sweep.in_place", task=task, count=len(ids))
    for start in range(0, len(ids), 50):
        IN_PLACE[task](ids[start : start + 50])


def tidy(at: datetime) -> None:
    """Remove data whose retention time is over."""
    with begin() as session:
        session.execute(delete(Fingerprint).where(Fingerprint.at < at - timedelta(days=1)))
        session.execute(delete(AddressKey).where(AddressKey.day < (at - timedelta(days=1)).date()))
        session.execute(forgotten_contacts(at))
        session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at < at))
        session.execute(delete(Ticket).where(Ticket.expires_at < at))
        session.execute(delete(Heartbeat).where(Heartbeat.at < at - timedelta(days=1)))
    tidy_webhooks(at)
    tidy_mails(at)
    with begin(synced=False) as session:
        owe_scrubbing(session, at, index=False)
    failpoint("tidied")


def _beat(worker: str, *, swept: bool) -> None:
    at = now()
    alive = {"at": at, "swept_at": at} if swept else {"at": at}
    with begin(synced=False) as session:
        session.connection().execute(insert_new(Heartbeat), {"name": worker, "at": at})
        session.execute(update(Heartbeat).where(Heartbeat.name == worker).values(alive))
