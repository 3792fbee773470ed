"""The sender's database work: claim deliveries that are due, and record the result of each attempt.

A round is one transaction for all endpoints: it records the results since the last round, and
claims the next deliveries.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias, TypedDict

import orjson
import structlog
from sqlalchemy import (
    DateTime,
    Insert,
    Integer,
    Row,
    Select,
    String,
    Text,
    Uuid,
    bindparam,
    case,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from models.failpoints import failpoint
from models.identifiers import new_id
from models.records import Endpoint, Event
from models.settings import settings
from models.store.database import Base, begin, now
from models.text.stamps import utc_stamp
from models.webhooks.endpoints import Kept, opened
from worker.webhooks import chats

LEASE_SECONDS = 20  # longer than an attempt
FAILING = timedelta(days=5)  # an endpoint that accepted nothing for this long is disabled
MOST_TOLD = 1024  # of an answer, kept in the log
MOST_RETRY_AFTER = 86_400.0
JITTER = 0.1
GONE = 410
PIECE, MOST_PIECES = 500, 20  # deliveries of a backlog that one round looks through
log = structlog.get_logger()

# A claimed delivery: its id, event, attempts, type and payload.
_Taken: TypeAlias = Row[str, str, int, str, chats.Said | None]


class Due(NamedTuple):
    """A claimed delivery. `said` is its event: type, time and data; None if the log no longer has
    it.
    """

    id: str
    event_id: str
    attempts: int
    type: str
    said: chats.Said | None


class Job(NamedTuple):
    """One request to make, for one delivery, or for several that a chat receives together."""

    endpoint: Kept
    deliveries: tuple[Due, ...]
    lease: str


class Outcome(NamedTuple):
    """The result of a job. `status` is None if there was no answer; then `error` says why.

    If both are None, nothing was tried, and the deliveries are due again at once.
    """

    job: Job
    at: datetime
    ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after: float = 0.0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def was_tried(self) -> bool:
        return self.status is not None or self.error is not None


class Round(NamedTuple):
    """The deliveries to send now, and when each endpoint may have more; those in `full` have more
    at once.
    """

    jobs: list[Job]
    later: list[tuple[datetime, str]]
    full: set[str]


def body(due: Due) -> bytes:
    """Return the body of the request, which has the same bytes at every attempt."""
    return orjson.dumps(due.said)


def round_of(outcomes: Sequence[Outcome], room: Mapping[str, int]) -> Round:
    """Record the results of jobs, and claim up to the given number of deliveries for each endpoint.

    The commit does not wait for the disk: results lost in a power cut lead to one more attempt,
    which "at least once" allows.
    """
    at = now()
    done = Round([], [], set())
    with begin(synced=False) as session:
        if outcomes:
            done.later.extend(_write_down(session, outcomes, at))
        if room:
            _take(session, room, at, done)
    failpoint("taken")
    for outcome in outcomes:
        _tell(outcome)
    return done


def _tell(outcome: Outcome) -> None:
    for due in outcome.job.deliveries if outcome.was_tried else ():
        log.info(
            "delivery.attempted",
            task=due.type,
            status=outcome.status or "failed",
            ms=outcome.ms,
            attempt=due.attempts + 1,
        )


# Recording results


def _write_down(
    session: Session, outcomes: Sequence[Outcome], at: datetime
) -> list[tuple[datetime, str]]:
    rows, attempts, later = [], [], []
    for outcome in outcomes:
        for due in outcome.job.deliveries:
            becomes = _becomes(outcome, due, at)
            rows.append({"its_id": due.id, "held": outcome.job.lease, **becomes})
            if outcome.was_tried:
                attempts.append(_attempt(outcome, due))
            if becomes["new_due"]:
                later.append((becomes["new_due"], outcome.job.endpoint.id))
    connection = session.connection()
    connection.execute(
        _WRITE, sorted(rows, key=lambda row: str(row["its_id"]))
    )  # every transaction locks in this order
    if attempts:
        connection.execute(_LOG, attempts)
    for outcome in sorted(_latest_of_each(outcomes), key=lambda outcome: outcome.job.endpoint.id):
        _note_health(session, outcome, at)
    return later


class _Becomes(TypedDict):
    """The new values of a delivery's row, under the names of the statement's parameters."""

    new_state: str
    new_due: datetime | None
    new_attempts: int
    new_ended: datetime | None


class _AttemptRow(TypedDict):
    """An attempt's row, under the names of the statement's parameters."""

    new_id: str
    its_id: str
    new_at: datetime
    new_status: int | None
    new_ms: int
    new_error: str | None
    new_answer: str


def _becomes(outcome: Outcome, due: Due, at: datetime) -> _Becomes:
    if not outcome.was_tried:
        return {"new_state": "owed", "new_due": at, "new_attempts": due.attempts, "new_ended": None}
    tried = due.attempts + 1
    if outcome.is_success:
        return {"new_state": "delivered", "new_due": None, "new_attempts": tried, "new_ended": at}
    schedule = settings().webhook_schedule
    if outcome.status == GONE or due.said is None or tried >= len(schedule):
        return {"new_state": "dead", "new_due": None, "new_attempts": tried, "new_ended": at}
    # spread, so that not all retries come at once
    seconds = schedule[tried] * (1 + JITTER * random.random())  # noqa: S311
    seconds = max(seconds, min(outcome.retry_after, MOST_RETRY_AFTER))
    return {
        "new_state": "owed",
        "new_due": at + timedelta(seconds=seconds),
        "new_attempts": tried,
        "new_ended": None,
    }


def _attempt(outcome: Outcome, due: Due) -> _AttemptRow:
    return {
        "new_id": new_id(),
        "its_id": due.id,
        "new_at": outcome.at,
        "new_status": outcome.status,
        "new_ms": outcome.ms,
        "new_error": outcome.error[:300] if outcome.error else None,
        "new_answer": outcome.answer,
    }


def _latest_of_each(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return one result per endpoint: a success, if there was one, otherwise the last failure."""
    latest: dict[str, Outcome] = {}
    for outcome in outcomes:
        known = latest.get(outcome.job.endpoint.id)
        if outcome.was_tried and not (known and known.is_success and outcome.status != GONE):
            latest[outcome.job.endpoint.id] = outcome
    return [latest[id_] for id_ in sorted(latest)]  # rows are locked in the order of their ids


def _note_health(session: Session, outcome: Outcome, at: datetime) -> None:
    """Record since when an endpoint fails. Disable one that answers 410 or has failed for too long.
    Usually nothing changes.
    """
    endpoint = outcome.job.endpoint
    mine = update(Endpoint).where(Endpoint.id == endpoint.id)
    if outcome.is_success:
        if endpoint.failing_since:
            session.execute(mine.values(failing_since=None))
    elif outcome.status == GONE:
        disable(session, endpoint.id, "The endpoint answered 410 Gone.")
    elif endpoint.failing_since is None:
        session.execute(mine.where(Endpoint.failing_since.is_(None)).values(failing_since=at))
    elif endpoint.failing_since < at - FAILING:
        still = select(Endpoint.id).where(
            Endpoint.id == endpoint.id, Endpoint.failing_since < at - FAILING
        )
        if session.scalar(still):
            disable(session, endpoint.id, f"The endpoint accepted nothing for {FAILING.days} days.")


def disable(session: Session, endpoint_id: str, why: str) -> None:
    session.execute(
        update(Endpoint)
        .where(Endpoint.id == endpoint_id)
        .values(is_enabled=False, disabled_why=why)
    )
    log.warning("webhook.disabled", reason=why)


# Claiming deliveries


def _take(session: Session, room: Mapping[str, int], at: datetime, done: Round) -> None:
    wanted = (
        select(Endpoint).where(Endpoint.id.in_(room), Endpoint.is_enabled).order_by(Endpoint.id)
    )
    taken: list[tuple[Kept, str, list[_Taken]]] = []
    for row in session.execute(wanted).scalars().all():
        endpoint = opened(row)
        places = room[endpoint.id]
        if endpoint.rate and not (places := _paced(session, endpoint, places, at, done)):
            continue
        if endpoint.is_chat:
            places = chats.MOST_AT_ONCE
        elif endpoint.is_coalesced:
            _coalesce(session, endpoint, places, at)
        lease = new_id()
        until = at + timedelta(seconds=LEASE_SECONDS)
        told = {
            "endpoint": endpoint.id,
            "at": at,
            "room": places,
            "until": until,
            "new_lease": lease,
        }
        found = (
            session.connection()
            .execute(_TAKE_IN_ORDER if endpoint.is_ordered else _TAKE, told)
            .all()
        )
        if found:
            taken.append((endpoint, lease, sorted(found, key=lambda row: str(row.id))))
        if len(found) == places:
            done.full.add(endpoint.id)
    said = _said(
        session, [row.event_id for _, _, rows in taken for row in rows if row.payload is None]
    )
    for endpoint, lease, rows in taken:
        due = [
            Due(row.id, row.event_id, row.attempts, row.type, row.payload or said.get(row.event_id))
            for row in rows
        ]
        together = [tuple(due)] if endpoint.is_chat else [(each,) for each in due]
        done.jobs.extend(Job(endpoint, some, lease) for some in together)


def _coalesce(session: Session, endpoint: Kept, places: int, at: datetime) -> None:
    """Remove deliveries that a newer state of the same comment has replaced, among those to be
    claimed now.

    This goes piece by piece from the oldest on, so a round does not read the whole of a long
    backlog.
    """
    for _ in range(MOST_PIECES):
        overtaken = session.execute(
            _COALESCE, {"endpoint": endpoint.id, "at": at, "most": PIECE}
        ).all()
        if len(overtaken) <= PIECE - places:
            return


def _paced(session: Session, endpoint: Kept, places: int, at: datetime, done: Round) -> int:
    """Return how many deliveries the endpoint's rate allows now, and record it in the row, so that
    the rate holds for all workers together.

    Deliveries worth a tenth of a second may go out together. Unused capacity does not accumulate.
    """
    assert endpoint.rate
    row = session.execute(_PACE, {"endpoint": endpoint.id}).one_or_none()
    if row is None:  # another worker is claiming for it
        done.later.append((at + timedelta(seconds=0.05), endpoint.id))
        return 0
    burst = max(1.0, endpoint.rate / 10)
    since = max(row.paced_until or at, at - timedelta(seconds=(burst - 1) / endpoint.rate))
    may = 0 if since > at else min(places, int((at - since).total_seconds() * endpoint.rate) + 1)
    waiting = len(session.execute(_DUE, {"endpoint": endpoint.id, "at": at, "most": places}).all())
    may = min(may, waiting)
    following = since + timedelta(seconds=may / endpoint.rate)
    if may:
        session.execute(
            update(Endpoint).where(Endpoint.id == endpoint.id).values(paced_until=following)
        )
    if waiting:
        done.later.append((following, endpoint.id))
    return may


def _said(session: Session, event_ids: Sequence[str]) -> dict[str, chats.Said]:
    if not event_ids:
        return {}
    rows = session.connection().execute(_EVENTS, {"ids": list(event_ids)})
    return {
        row.id: {"type": row.type, "timestamp": utc_stamp(row.at), "data": row.data} for row in rows
    }


# Built once: putting a statement together costs more than running it.

_DELIVERIES, _ATTEMPTS = Base.metadata.tables["deliveries"], Base.metadata.tables["attempts"]
_WRITE = (
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == bindparam("its_id"), _DELIVERIES.c.lease == bindparam("held"))
    .values(
        state=bindparam("new_state"),
        due=bindparam("new_due"),
        attempts=bindparam("new_attempts"),
        ended_at=bindparam("new_ended"),
        lease=None,
    )
)


def _log() -> Insert:
    """Insert an attempt. If its delivery was cancelled meanwhile, the answer is not stored."""
    values = {
        "id": bindparam("new_id", type_=Uuid(as_uuid=False)),
        "delivery_id": _DELIVERIES.c.id,
        "at": bindparam("new_at", type_=_ATTEMPTS.c.at.type),
        "status": bindparam("new_status", type_=Integer()),
        "ms": bindparam("new_ms", type_=Integer()),
        "error": bindparam("new_error", type_=String(300)),
        "answer": case(
            (_DELIVERIES.c.state == "cancelled", ""), else_=bindparam("new_answer", type_=Text())
        ),
    }
    of_it = select(*values.values()).where(_DELIVERIES.c.id == bindparam("its_id"))
    return insert(_ATTEMPTS).from_select(list(values), of_it)


_LOG = _log()


def _taking(*, in_order: bool) -> ReturningUpdate[str, str, int, str, chats.Said | None]:
    waiting = _DELIVERIES.alias("waiting")
    due = (waiting.c.endpoint_id == bindparam("endpoint")) & (waiting.c.due <= bindparam("at"))
    picked = (
        select(waiting.c.id)
        .where(due)
        .order_by(waiting.c.due, waiting.c.id)
        .limit(bindparam("room"))
    )
    if in_order:
        before = _DELIVERIES.alias("before")
        same = (before.c.comment_id == waiting.c.comment_id) & (
            before.c.endpoint_id == waiting.c.endpoint_id
        )
        unsent = (
            same
            & before.c.state.in_(("owed", "waiting"))
            & (before.c.sequence < waiting.c.sequence)
        )
        picked = picked.where(~select(literal_column("1")).where(unsent).exists())
    mine = picked.with_for_update(skip_locked=True, of=waiting).cte("mine")
    told = (_DELIVERIES.c.id, _DELIVERIES.c.event_id, _DELIVERIES.c.attempts, _DELIVERIES.c.type)
    return (
        update(_DELIVERIES)
        .where(_DELIVERIES.c.id.in_(select(mine.c.id)))
        .values(due=bindparam("until"), lease=bindparam("new_lease"))
        .returning(*told, _DELIVERIES.c.payload)
    )


_TAKE, _TAKE_IN_ORDER = _taking(in_order=False), _taking(in_order=True)


def _coalescing() -> ReturningUpdate[str]:
    newer = _DELIVERIES.alias("newer")
    same = (newer.c.comment_id == _DELIVERIES.c.comment_id) & (
        newer.c.endpoint_id == _DELIVERIES.c.endpoint_id
    )
    follows = same & (newer.c.state == "owed") & (newer.c.sequence > _DELIVERIES.c.sequence)
    oldest = _DUE.with_for_update(skip_locked=True).cte("oldest")
    overtaken = update(_DELIVERIES).where(
        _DELIVERIES.c.id.in_(select(oldest.c.id)),
        select(literal_column("1")).where(follows).exists(),
    )
    over = overtaken.values(
        state="coalesced", due=None, lease=None, ended_at=bindparam("at", type_=DateTime(True))
    )
    return over.returning(_DELIVERIES.c.id)


def _due() -> Select[str]:
    waiting = _DELIVERIES.alias("waiting")
    due = (waiting.c.endpoint_id == bindparam("endpoint")) & (waiting.c.due <= bindparam("at"))
    return (
        select(waiting.c.id)
        .where(due)
        .order_by(waiting.c.due, waiting.c.id)
        .limit(bindparam("most"))
    )


_DUE = _due()


_COALESCE = _coalescing()
_PACE = (
    select(Endpoint.paced_until)
    .where(Endpoint.id == bindparam("endpoint"))
    .with_for_update(skip_locked=True)
)
_EVENTS = select(Event.id, Event.type, Event.at, Event.data).where(
    Event.id.in_(bindparam("ids", expanding=True))
)
