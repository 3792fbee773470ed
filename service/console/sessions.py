"""Who is signed in: a random cookie whose hash is a row, so that a session can be ended."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
import threading
import time
from datetime import timedelta
from typing import NamedTuple

from flask import request
from sqlalchemy import delete, select
from werkzeug.wrappers import Response

from models.database import begin, now, reading
from models.records import ConsoleSession, Membership, Moderator, Site
from models.secrets import keyed_hash
from service.problems import Problem

COOKIE = "greenroom_console"
LASTS = timedelta(hours=12)
ROLES = ("viewer", "moderator", "owner")  # each may do what those before it may


class SignedIn(NamedTuple):
    """`sites` are role by site key. `csrf` must come back with every form."""

    moderator_id: str
    email: str
    sites: dict[str, str]
    csrf: str
    must_change_password: bool

    def may(self, site: str, role: str) -> bool:
        return site in self.sites and ROLES.index(self.sites[site]) >= ROLES.index(role)


def start(moderator: Moderator, answer: Response) -> None:
    cookie = random.token_urlsafe(32)
    with begin() as session:
        row = ConsoleSession(hash=_hash(cookie), moderator_id=moderator.id, expires_at=now() + LASTS)
        session.add(row)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LASTS.total_seconds()),
        path="/console",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def end_others(who: SignedIn) -> None:
    """With a new password every other session ends: whoever knew the old one is out."""
    mine = ConsoleSession.hash == _hash(request.cookies.get(COOKIE, ""))
    with begin() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.moderator_id == who.moderator_id, ~mine))


def end(answer: Response) -> None:
    with begin() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.hash == _hash(request.cookies.get(COOKIE, ""))))
    answer.delete_cookie(COOKIE, path="/console")


def signed_in() -> SignedIn | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    wanted = select(Moderator.id, Moderator.email, Moderator.must_change_password)
    wanted = wanted.join(ConsoleSession, ConsoleSession.moderator_id == Moderator.id)
    with reading() as session:
        row = session.execute(
            wanted.where(ConsoleSession.hash == _hash(cookie), ConsoleSession.expires_at > now())
        ).one_or_none()
        if row is None:
            return None
        roles = select(Site.key, Membership.role).join(Site, Site.id == Membership.site_id).order_by(Site.key)
        sites = dict(session.execute(roles.where(Membership.moderator_id == row.id)).all())
    return SignedIn(row.id, row.email, sites, keyed_hash("csrf", cookie), row.must_change_password)


def check_csrf(who: SignedIn) -> None:
    """Raises 403 where a form did not come from our own page."""
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), who.csrf.encode()):
        raise Problem(403, "This form is out of date. Go back, load the page again, and send it once more.")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


class Guesses:
    """Slows guessing: each wrong password for an account from an address doubles the wait, and a right one ends it.

    Counted by account and address together, so that a stranger who guesses cannot lock the owner out.
    """

    MOST = 10_000

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait(self, email: str, address: str) -> int:
        """Seconds until the next try is looked at."""
        count, last = self._wrong.get((email, address), (0, 0.0))
        pause = 0 if count < 3 else min(2 ** (count - 3), 900)
        return max(0, round(last + pause - time.monotonic()))

    def count(self, email: str, address: str, *, right: bool) -> None:
        with self._lock:
            if right:
                self._wrong.pop((email, address), None)
                return
            if len(self._wrong) >= self.MOST:
                self._wrong.clear()
            count, _ = self._wrong.get((email, address), (0, 0.0))
            self._wrong[email, address] = (count + 1, time.monotonic())
