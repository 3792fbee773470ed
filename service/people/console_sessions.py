"""A person's sessions in the console: where they are signed in, and ending them at once.

A cookie holds a random value and the table its hash. A session works as long as its row exists.
"""

from __future__ import annotations

import hashlib
import secrets as random
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Update, delete, or_, select, update
from sqlalchemy.orm import Session

from models.records import ConsoleSession, Moderator
from models.runtime import part
from models.settling.actor import Actor
from models.store.database import begin, now, reading
from service.http.last_use import LastUse
from service.http.problems import Problem
from service.moderation.log import note_act
from service.people.devices import device_of, within_a_sentence

LASTS = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=5)  # the last use, so that a request seldom writes


class OpenSession(NamedTuple):
    """One place where a person is signed in. `used_at` is up to five minutes late."""

    id: str
    device: str
    created_at: datetime
    used_at: datetime
    is_this: bool

    @property
    def device_within_a_sentence(self) -> str:
        return within_a_sentence(self.device)


def start(moderator: Moderator, user_agent: str) -> str:
    """Sign in someone whose password was right. Return the value of the cookie.

    Raises a 403 if the password changed in the meantime.
    """
    cookie = random.token_urlsafe(32)
    with begin() as session:
        wanted = select(Moderator.password_hash).where(Moderator.id == moderator.id)
        if session.scalar(wanted.with_for_update()) != moderator.password_hash:
            raise Problem(403, "Your password has changed. Sign in again.")
        row = ConsoleSession(
            hash=hash_of(cookie),
            moderator_id=moderator.id,
            expires_at=now() + LASTS,
            device=device_of(user_agent),
        )
        session.add(row)
    return cookie


def listed(moderator_id: str, this: str) -> list[OpenSession]:
    """Return the working sessions, this one first and then by their last use. `this` is a hash."""
    wanted = select(ConsoleSession).where(ConsoleSession.moderator_id == moderator_id)
    with reading() as session:
        rows = session.scalars(wanted.where(ConsoleSession.expires_at > now())).all()
    found = [_shown(row, this) for row in rows]
    return sorted(found, key=lambda each: (each.is_this, each.used_at), reverse=True)


def _shown(row: ConsoleSession, this: str) -> OpenSession:
    is_this = row.hash == this
    used_at = now() if is_this else row.used_at or row.created_at
    return OpenSession(row.id, row.device or UNKNOWN, row.created_at, used_at, is_this)


UNKNOWN = "An unknown browser"  # it signed in before Greenroom noted the browser


def end(moderator_id: str, session_id: str) -> None:
    """End one session of this person. Raises a 404 if it has ended already."""
    with begin() as session:
        rows = select(ConsoleSession).where(ConsoleSession.moderator_id == moderator_id)
        for row in session.scalars(rows):
            if row.id == session_id:
                session.delete(row)
                what = f"ended their session in {within_a_sentence(row.device or UNKNOWN)}"
                note_act(session, str(Actor.moderator(moderator_id)), "people", what)
                return
    raise Problem(404, "This session has already ended.")


def end_hash(hash_: str) -> None:
    """Sign out."""
    with begin() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.hash == hash_))


def end_all(session: Session, moderator_id: str, *, but: str = "") -> None:
    """End every session of this person at once, except the one with the hash `but`."""
    theirs = (ConsoleSession.moderator_id == moderator_id) & (ConsoleSession.hash != but)
    session.execute(delete(ConsoleSession).where(theirs))


def end_others(moderator_id: str, this: str) -> None:
    with begin() as session:
        end_all(session, moderator_id, but=this)
        by = str(Actor.moderator(moderator_id))
        note_act(session, by, "people", "ended all their other sessions")


@part
def _uses() -> LastUse:
    return LastUse(NOTED_EVERY)


def note_use(hash_: str, used_at: datetime | None) -> None:
    """Record that the session is in use, after the response is sent."""

    def used(at: datetime) -> Update:
        is_old = or_(ConsoleSession.used_at.is_(None), ConsoleSession.used_at <= at - NOTED_EVERY)
        return update(ConsoleSession).where(ConsoleSession.hash == hash_, is_old).values(used_at=at)

    _uses().note(hash_, used_at, used)


def hash_of(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
