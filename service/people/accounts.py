"""Moderators' accounts and their passwords."""

from __future__ import annotations

import secrets as random
import threading
from functools import cache
from itertools import chain

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from email_validator import EmailNotValidError
from sqlalchemy import select

from models.records import Membership, Moderator, Site
from models.store.database import begin, reading
from models.text.email import parsed_email
from service.people import api_keys, console_sessions, live_links, passwords
from service.sites.registering import add_site, checked_origin

DEMO = "demo"
_hashing = threading.BoundedSemaphore(
    1
)  # a hash takes 64 MB and a core: many sign-ins must wait for each other
OWNER = "owner@greenroom.example"


def add_moderator(email: str, site: str, role: str, password: str | None = None) -> str:
    """Make an account, or add a site to an existing one. Return the password.

    Without a password, a new account gets one that works once. An existing account keeps its own,
    and the result is empty. Raises ValueError, with a message for the person, for a password that
    is too easy to guess.
    """
    email = checked_email(email)
    with reading() as session:
        site_id = session.scalar(select(Site.id).where(Site.key == site))
    if site_id is None:
        raise ValueError(
            f"There is no site {site!r}. Add it with: greenroom site add {site} --origin URL"
        )
    chosen = None if password is None else hashed(password, email=email, site_id=site_id)
    once = ""
    with begin() as session:
        moderator = session.scalar(select(Moderator).where(Moderator.email == email))
        if moderator is None:
            moderator = Moderator(email=email)
            session.add(moderator)
            once = "" if chosen else random.token_urlsafe(12)
        if chosen or once:
            moderator.password_hash = chosen or _hasher().hash(once)
            moderator.must_change_password = bool(once)
        session.flush()
        session.merge(Membership(moderator_id=moderator.id, site_id=site_id, role=role))
        live_links.role_changed(session, email, moderator.id, site_id=site_id, role=role)
        if chosen or once:
            live_links.password_changed(session, email)
            console_sessions.end_all(session, moderator.id)
    return password or once


def checked_email(email: str) -> str:
    """Return the address in lower case. Raises ValueError, with a message for the person, for an
    impossible one.
    """
    try:
        return parsed_email(email).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def hashed(password: str, *, email: str, site_id: int | None = None) -> str:
    """Return the hash of a password. `site_id` is a site that the account has not joined yet.

    Raises ValueError, with a message for the person, for a password that is too easy to guess.
    """
    passwords.check(password, own=_own_words(email, site_id))
    with _hashing:
        return _hasher().hash(password)


def _own_words(email: str, site_id: int | None) -> list[str]:
    """Return the words that someone who knows the account would try first."""
    theirs = select(Site.key, Site.origins).outerjoin(Membership, Membership.site_id == Site.id)
    theirs = theirs.outerjoin(Moderator, Moderator.id == Membership.moderator_id)
    theirs = theirs.where((Moderator.email == email) | (Site.id == site_id))
    with reading() as session:
        sites = session.execute(theirs).all()
    return [email, *chain.from_iterable([row.key, *row.origins] for row in sites)]


def create_key(site: str, *scopes: str, learn: bool = False) -> str:
    """Return a new key `gr_…` without a name or an end, for the command line."""
    with begin() as session:
        new = api_keys.NewKey(scopes, learn=learn)
        site_id = api_keys.site_id_of(session, site)
        return api_keys.create(session, site_id, new, by="the command line").key


def first_start(public_url: str) -> str | None:
    """On an empty database, add the site `demo` and its owner. Return the owner's one-time
    password, only once.

    Later this only updates the demo's origins, because its page moves with the port.
    """
    origins = {
        checked_origin(public_url),
        checked_origin(public_url.replace("//127.0.0.1", "//localhost")),
    }
    with begin() as session:
        demo = session.execute(select(Site).where(Site.key == DEMO)).scalar_one_or_none()
        if demo is not None:
            demo.origins = sorted(origins | set(demo.origins))
        if demo is not None or session.execute(select(Site.id).limit(1)).scalar() is not None:
            return None
    add_site(DEMO, sorted(origins))
    return add_moderator(OWNER, DEMO, "owner")


def check_password(email: str, password: str) -> Moderator | None:
    """Return the account if the password is right. An unknown email takes as long as a wrong
    password.
    """
    with reading() as session:
        found = select(Moderator).where(Moderator.email == email.strip().lower())
        moderator = session.execute(found).scalar_one_or_none()
    with _hashing:
        return moderator if _is_right(moderator, password) else None


def _is_right(moderator: Moderator | None, password: str) -> bool:
    try:
        _hasher().verify(moderator.password_hash if moderator else _nobody(), password)
    except VerificationError:
        return False
    return moderator is not None


def change_password(moderator_id: str, password: str, *, session_hash: str = "") -> None:
    """Change the password and end every session except the one with this hash.

    Raises ValueError, with a message for the person, for a password that is too easy to guess.
    """
    with reading() as session:
        email = session.get_one(Moderator, moderator_id).email
    kept = hashed(password, email=email)
    with begin() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.password_hash, moderator.must_change_password = kept, False
        live_links.password_changed(session, moderator.email)
        console_sessions.end_all(session, moderator_id, but=session_hash)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash(random.token_urlsafe())
