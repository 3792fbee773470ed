"""Signed-in people: a random cookie whose hash is a row, so that a session can be ended."""

from __future__ import annotations

import hmac
import threading
import time
from typing import NamedTuple

from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.records import ConsoleSession, Membership, Moderator, Site
from models.settling.actor import Actor
from models.store.database import now, reading
from models.store.secrets import keyed_hash
from service.http.problems import Problem
from service.http.transport import is_https
from service.people import console_sessions
from service.people.names import ROLES

COOKIE = "greenroom_console"
# over https, a browser accepts it only from this host, never from a sibling of it
HOST_COOKIE = f"__Host-{COOKIE}"


class SignedIn(NamedTuple):
    """`sites` are role by site key. `csrf` must come back with every form.

    `locked` are sites that require a second factor, of someone who has none.
    """

    moderator_id: str
    email: str
    sites: dict[str, str]
    csrf: str
    must_change_password: bool
    session_hash: str
    locked: tuple[str, ...] = ()

    @property
    def actor(self) -> Actor:
        return Actor.moderator(self.moderator_id)

    @property
    def by(self) -> str:
        """The moderator's name in the logs."""
        return str(self.actor)

    def may(self, site: str, role: str) -> bool:
        return site in self.sites and ROLES.index(self.sites[site]) >= ROLES.index(role)


def start(moderator: Moderator, answer: Response) -> str:
    """Sign the moderator in by setting the session cookie on this response. Return the CSRF token
    for the new session's forms.
    """
    cookie = console_sessions.start(moderator, request.headers.get("User-Agent", ""))
    answer.set_cookie(
        _name(),
        cookie,
        max_age=int(console_sessions.LASTS.total_seconds()),
        path=_path(),
        secure=is_https(),
        httponly=True,
        samesite="Strict",
    )
    return _csrf(cookie)


def end(who: SignedIn, answer: Response) -> None:
    console_sessions.end_hash(who.session_hash)
    answer.delete_cookie(_name(), path=_path(), secure=is_https(), httponly=True, samesite="Strict")


def signed_in() -> SignedIn | None:
    cookie = request.cookies.get(_name())
    if not cookie:
        return None
    hash_ = console_sessions.hash_of(cookie)
    wanted = select(
        Moderator.id,
        Moderator.email,
        Moderator.must_change_password,
        Moderator.second_factor.is_not(None).label("has_second_factor"),
        ConsoleSession.used_at,
    ).join(ConsoleSession, ConsoleSession.moderator_id == Moderator.id)
    with reading() as session:
        row = session.execute(
            wanted.where(ConsoleSession.hash == hash_, ConsoleSession.expires_at > now())
        ).one_or_none()
        if row is None:
            return None
        roles = (
            select(Site.key, Membership.role, Site.second_factor_required)
            .join(Site, Site.id == Membership.site_id)
            .where(Membership.moderator_id == row.id)
            .order_by(Site.key)
        )
        all_sites = session.execute(roles).all()
    console_sessions.note_use(hash_, row.used_at)
    locked: tuple[str, ...] = ()
    if not row.has_second_factor:
        locked = tuple(site.key for site in all_sites if site.second_factor_required)
    return SignedIn(
        moderator_id=row.id,
        email=row.email,
        sites={site.key: site.role for site in all_sites if site.key not in locked},
        csrf=_csrf(cookie),
        must_change_password=row.must_change_password,
        session_hash=hash_,
        locked=locked,
    )


def _csrf(cookie: str) -> str:
    return keyed_hash("csrf", cookie)


def _name() -> str:
    return HOST_COOKIE if is_https() else COOKIE


def _path() -> str:
    """Return the path; the prefix of the cookie's name demands the root."""
    return "/" if is_https() else "/console"


def check_csrf(who: SignedIn) -> None:
    """Raise a 403 if a form did not come from our own page."""
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), who.csrf.encode()):
        raise OutOfDate


class OutOfDate(Problem):
    """Raised if the token of a form or a call is not this session's."""

    def __init__(self) -> None:
        super().__init__(403, "This page is out of date. Go back, reload it and try again.")


class Guesses:
    """Slows guessing: each wrong password for an account from an address doubles the wait, and a
    right one ends it.

    It counts by account and address together, so that a stranger who guesses cannot lock the owner
    out, and by address alone, so that nobody guesses many accounts at once.
    """

    MOST, FREE, FREE_BY_ADDRESS = 10_000, 3, 20

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def admit(self, email: str, address: str) -> int:
        """Count this try as wrong until `forget` is called. Return the seconds to wait if it is not
        allowed.
        """
        with self._lock:
            waits = (
                self._wait((email, address), self.FREE),
                self._wait(("", address), self.FREE_BY_ADDRESS),
            )
            if max(waits) > 0:
                return max(waits)
            if len(self._tries) >= self.MOST:
                self._tries.clear()
            for key in ((email, address), ("", address)):
                self._tries[key] = (self._tries.get(key, (0, 0.0))[0] + 1, time.monotonic())
            return 0

    def forget(self, email: str, address: str) -> None:
        with self._lock:
            self._tries.pop((email, address), None)
            self._tries.pop(("", address), None)

    def _wait(self, key: tuple[str, str], free: int) -> int:
        count, last = self._tries.get(key, (0, 0.0))
        pause = 0 if count < free else min(2 ** (count - free), 900)
        return max(0, round(last + pause - time.monotonic()))
