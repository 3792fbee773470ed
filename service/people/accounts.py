"""Sites, moderators and keys, as the command line makes them."""

from __future__ import annotations

import secrets as random
import threading
from functools import cache
from string import ascii_lowercase, digits

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from email_validator import EmailNotValidError
from sqlalchemy import select, update

from models.judgement.policy import Policy
from models.records import Membership, Moderator, Site
from models.store.database import begin, insert_new, reading
from models.text.email import parsed_email
from models.text.urls import link
from service.people import keys, passwords
from service.sites.languages import languages
from service.sites.lookup import KEY

DEMO = "demo"
_hashing = threading.BoundedSemaphore(
    1
)  # a hash takes 64 MB and a core: a flood of sign-ins waits for itself alone
OWNER = "owner@greenroom.example"
_OF_A_HOST = frozenset(f"{ascii_lowercase}{digits}-_.:")


def add_site(key: str, origins: list[str], locale: str = "en") -> None:
    """A new site. Raises ValueError, in words, for a bad key, origin or language or one that
    exists.
    """
    if not KEY.fullmatch(key):
        raise ValueError(
            f"A site's key is lower-case letters, digits, - and _, at most 64: not {key!r}."
        )
    row = {"key": key, "policy": Policy().model_dump(mode="json"), **_traits(origins, locale)}
    with begin() as session:
        made = session.connection().execute(insert_new(Site, "id"), row).one_or_none()
    if not made:
        raise ValueError(f"There is a site {key!r} already.")


def set_site(key: str, origins: list[str], locale: str | None) -> None:
    """Replace a site's origins, its language, or both. Every process knows within
    `lookup.FRESH_SECONDS`. Raises ValueError for a wrong value, nothing to set, or an unknown site.
    """
    traits = _traits(origins, locale)
    if not traits:
        raise ValueError("Say what to set: --origin, --language or both.")
    with begin() as session:
        if not session.execute(
            update(Site).where(Site.key == key).values(traits).returning(Site.id)
        ).first():
            raise ValueError(f"There is no site {key!r}.")


def _traits(origins: list[str], locale: str | None) -> dict[str, object]:
    """The columns for what is given."""
    if locale is not None and locale not in languages():
        raise ValueError(
            f"Greenroom has no words for the language {locale!r}: it is one of "
            f"{', '.join(languages())}."
        )
    given = {"origins": [_origin(url) for url in origins], "locale": locale}
    return {name: value for name, value in given.items() if value}


def _origin(url: str) -> str:
    found = link(url)
    is_origin = url.rstrip("/").count("/") == 2 and not {"?", "#", "\\"} & set(url)
    if found is None or not is_origin or not _OF_A_HOST.issuperset(found.host):
        raise ValueError(f"An origin is scheme and host, like https://paper.example: not {url!r}.")
    return found.origin


def list_sites() -> list[tuple[str, list[str]]]:
    with reading() as session:
        return [
            (row.key, row.origins)
            for row in session.execute(select(Site.key, Site.origins).order_by(Site.key))
        ]


def add_moderator(email: str, site: str, role: str, password: str | None = None) -> str:
    """Make an account, or add a site to an existing one. Returns the password.

    Without a password, a new account gets one that works once. An existing account keeps its own,
    and the answer is empty. The operator chooses the password, so the command only warns of one
    that is easy to guess.
    """
    email = checked_email(email)
    if password is not None:
        passwords.check_length(password)
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar()
        if site_id is None:
            raise ValueError(
                f"There is no site {site!r}. Add it with: greenroom site add {site} --origin URL"
            )
        moderator = session.execute(
            select(Moderator).where(Moderator.email == email)
        ).scalar_one_or_none()
        chosen = password or ("" if moderator else random.token_urlsafe(12))
        if moderator is None:
            moderator = Moderator(email=email)
            session.add(moderator)
        if chosen:
            moderator.password_hash, moderator.must_change_password = (
                _hasher().hash(chosen),
                password is None,
            )
        session.flush()
        session.merge(Membership(moderator_id=moderator.id, site_id=site_id, role=role))
    return chosen


def checked_email(email: str) -> str:
    """In lower case. Raises ValueError, in words, for what can be no address."""
    try:
        return parsed_email(email).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def hashed(password: str) -> str:
    """A password as it is kept. Raises ValueError, in words, where it is too short or easy to
    guess.
    """
    passwords.check(password)
    with _hashing:
        return _hasher().hash(password)


def create_key(site: str, *scopes: str) -> str:
    """A new key `gr_…` without a name or an end, by the command line."""
    with begin() as session:
        new = keys.NewKey(scopes)
        site_id = keys.site_id_of(session, site)
        return keys.create(session, site_id, new, by="the command line").key


def first_start(public_url: str) -> str | None:
    """On an empty database: the site `demo` and its owner. Answers the owner's one-time password,
    once.

    Later only the demo's origins are brought up to date, as its page moves with the port.
    """
    origins = {_origin(public_url), _origin(public_url.replace("//127.0.0.1", "//localhost"))}
    with begin() as session:
        demo = session.execute(select(Site).where(Site.key == DEMO)).scalar_one_or_none()
        if demo is not None:
            demo.origins = sorted(origins | set(demo.origins))
        if demo is not None or session.execute(select(Site.id).limit(1)).scalar() is not None:
            return None
    add_site(DEMO, sorted(origins))
    return add_moderator(OWNER, DEMO, "owner")


def check_password(email: str, password: str) -> Moderator | None:
    """The account, if the password is right. An unknown email takes as long as a wrong password."""
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


def change_password(moderator_id: str, password: str) -> None:
    """Raises ValueError, in words, where the new one is too short or easy to guess."""
    with reading() as session:
        passwords.check(password, email=session.get_one(Moderator, moderator_id).email)
    with begin() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.password_hash, moderator.must_change_password = _hasher().hash(password), False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash(random.token_urlsafe())
