"""The mail sender's database work: claim mails that are due, and record the result of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

import structlog
from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.mailing.outbox import ENDED
from models.records import MailAttempt, Mailbox
from models.settings import settings
from models.store.database import Base, begin, insert_new, reading

MOST_TOGETHER = 500
AT_ONCE = 20  # mails of one round, over one connection
LEASE_SECONDS = 240  # longer than a round
JITTER = 0.1
log = structlog.get_logger()


class Due(NamedTuple):
    """A claimed mail: columns of its row."""

    id: str
    site_id: int
    kind: str
    address: bytes | None
    address_index: str
    reader_id: str | None
    comment_id: str | None
    data: dict[str, Any]
    is_daily: bool
    attempts: int
    created_at: datetime
    lease: str


class Result(NamedTuple):
    """What became of one mail. `state` is "sent", "dead", "cancelled" or "owed".

    `status` and `error` tell of an attempt. Without them there was none; a mail that is still owed
    is then due at `later`, or at once. `refused` means that the address does not exist, so no more
    mail goes to it.
    """

    mail: Due
    state: str
    at: datetime
    ms: int = 0
    status: int | None = None
    error: str | None = None
    later: datetime | None = None
    is_daily: bool | None = None
    refused: bool = False

    @property
    def was_tried(self) -> bool:
        return self.status is not None or self.error is not None


def any_due(at: datetime) -> bool:
    with reading() as session:
        return session.execute(_ANY, {"at": at}).first() is not None


def claim(at: datetime) -> list[Due]:
    """Claim the mails that have been due longest."""
    told = {"at": at, "until": at + timedelta(seconds=LEASE_SECONDS), "new_lease": new_id()}
    with begin(synced=False) as session:
        rows = list(session.connection().execute(_TAKE, told).all())
        if together := {row.reader_id for row in rows if _goes_together(row)}:
            rest = session.connection().execute(_TAKE_REST, {**told, "readers": list(together)})
            rows += rest.all()
    return sorted((Due(*row) for row in rows), key=lambda mail: mail.id)


def _goes_together(row: Row[*tuple[object, ...]]) -> bool:
    return row.reader_id is not None and (row.is_daily or row.kind == "thread")


def record(results: Sequence[Result]) -> None:
    """Write down what became of the mails.

    The commit does not wait for the disk: results lost in a power cut lead to one more attempt,
    which "at least once" allows.
    """
    rows = [_becomes(result) for result in sorted(results, key=lambda result: result.mail.id)]
    attempts = [_attempt(result) for result in results if result.was_tried]
    with begin(synced=False) as session:
        connection = session.connection()
        ended = [row for row in rows if row["new_due"] is None]
        owed = [row for row in rows if row["new_due"] is not None]
        if ended:
            connection.execute(_END, ended)
        if owed:
            connection.execute(_POSTPONE, owed)
        if attempts:
            connection.execute(insert(_ATTEMPTS), attempts)
        for result in results:
            if result.refused:
                stop_address(session, result)
    for result in results:
        if result.was_tried:
            _tell(result)


def stop_address(session: Session, result: Result) -> None:
    """Send nothing more to an address that the mail server refuses for good."""
    mail, mailbox = result.mail, Base.metadata.tables[Mailbox.__tablename__].c
    key = {"site_id": mail.site_id, "address_index": mail.address_index}
    new = {**key, "replies": "now", "decisions": "now", "threads": "now", "created_at": result.at}
    session.connection().execute(insert_new(Mailbox), new)
    mine = (mailbox.site_id == mail.site_id) & (mailbox.address_index == mail.address_index)
    why = {"stopped_at": result.at, "stopped_why": result.error}
    session.execute(update(Mailbox).where(mine).values(why))


def _tell(result: Result) -> None:
    told = {"task": result.mail.kind, "ms": result.ms, "attempt": result.mail.attempts + 1}
    status: int | str = result.status or "failed"
    if result.state == "dead":
        log.warning("mail.dead", status=status, **told)
    else:
        log.info("mail.attempted", status=status, **told)


class _Becomes(TypedDict):
    its_id: str
    held: str
    new_state: str
    new_due: datetime | None
    new_attempts: int
    new_ended: datetime | None
    new_daily: bool
    new_index: str


def _becomes(result: Result) -> _Becomes:
    mail, state, due = result.mail, result.state, None
    attempts = mail.attempts + result.was_tried
    if state == "owed" and result.was_tried:
        schedule = settings().mail_schedule
        if attempts >= len(schedule):
            state = "dead"
        else:  # spread, so that not all retries come at once
            seconds = schedule[attempts] * (1 + JITTER * random.random())  # noqa: S311
            due = result.at + timedelta(seconds=seconds)
    elif state == "owed":
        due = result.later or result.at
    return {
        "its_id": mail.id,
        "held": mail.lease,
        "new_state": state,
        "new_due": due,
        "new_attempts": attempts,
        "new_ended": None if due else result.at,
        "new_daily": mail.is_daily if result.is_daily is None else result.is_daily,
        "new_index": mail.address_index,
    }


def _attempt(result: Result) -> dict[str, object]:
    return {
        "id": new_id(),
        "mail_id": result.mail.id,
        "at": result.at,
        "status": result.status,
        "ms": result.ms,
        "error": result.error[:300] if result.error else None,
    }


# Built once: putting a statement together costs more than running it.
_MAILS, _ATTEMPTS = (
    Base.metadata.tables["mails"],
    Base.metadata.tables[MailAttempt.__tablename__],
)
_ANY = select(_MAILS.c.id).where(_MAILS.c.due <= bindparam("at")).limit(1)
_OLDEST = (
    select(_MAILS.c.id)
    .where(_MAILS.c.due <= bindparam("at"))
    .order_by(_MAILS.c.due, _MAILS.c.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
    .cte("oldest")
)
_TAKE = (
    update(_MAILS)
    .where(_MAILS.c.id.in_(select(_OLDEST.c.id)))
    .values(due=bindparam("until"), lease=bindparam("new_lease"))
    .returning(*(_MAILS.c[name] for name in Due._fields))
)
# The other mails of these readers that go into the same message.
_REST = (
    select(_MAILS.c.id)
    .where(
        _MAILS.c.due <= bindparam("at"),
        _MAILS.c.reader_id.in_(bindparam("readers", expanding=True)),
        _MAILS.c.is_daily | (_MAILS.c.kind == "thread"),
    )
    .order_by(_MAILS.c.id)
    .limit(MOST_TOGETHER)
    .with_for_update(skip_locked=True)
    .cte("rest")
)
_TAKE_REST = (
    update(_MAILS)
    .where(_MAILS.c.id.in_(select(_REST.c.id)))
    .values(due=bindparam("until"), lease=bindparam("new_lease"))
    .returning(*(_MAILS.c[name] for name in Due._fields))
)
_HELD = update(_MAILS).where(
    _MAILS.c.id == bindparam("its_id"), _MAILS.c.lease == bindparam("held")
)
_RESULT: dict[str, Any] = {
    "state": bindparam("new_state"),
    "attempts": bindparam("new_attempts"),
    "ended_at": bindparam("new_ended"),
    "is_daily": bindparam("new_daily"),
    "address_index": bindparam("new_index"),
}
_POSTPONE = _HELD.values(**_RESULT, due=bindparam("new_due"), lease=None)
_END = _HELD.values(**_RESULT, **ENDED)
