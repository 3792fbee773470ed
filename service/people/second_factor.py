"""A second factor: one-time codes (RFC 6238), and recovery codes for a lost phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
import time

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Moderator
from models.settling.actor import Actor
from models.store.database import begin as changing
from models.store.database import reading
from models.store.secrets import seal, unseal
from models.text.numbers import digits_to_int
from service.http.problems import Problem
from service.moderation.log import note_act

STEP_SECONDS = 30
DIGITS = 6
SPARE = 1  # steps before and after now are accepted as well, because clocks differ
RECOVERY_CODES = 10
PURPOSE = "second factor"


def new_secret() -> str:
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """The address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret, name=email, issuer="Greenroom").provisioning_uri()


def begin(moderator_id: str, secret: str, code: str) -> list[str] | None:
    """Turn the second factor on, or replace it, if the code is right. Return the recovery codes,
    which are shown only now, or None for a wrong code.
    """
    step = _step_of(secret, code, after=0)
    if step is None:
        return None
    with changing() as session:
        moderator = session.get_one(Moderator, moderator_id)
        is_first = moderator.second_factor is None
        moderator.second_factor = seal(PURPOSE, secret.encode())
        moderator.second_factor_used = step
        did = "turned on a second factor" if is_first else "replaced the second factor"
        note_act(session, str(Actor.moderator(moderator_id)), "people", did)
        return _give_recovery_codes(moderator)


def new_recovery_codes(moderator_id: str) -> list[str]:
    """Replace the recovery codes. Return them, because they are shown only now.

    Raises a 409 without a second factor.
    """
    with changing() as session:
        moderator = session.get_one(Moderator, moderator_id)
        if moderator.second_factor is None:
            raise Problem(409, "Turn on the second factor first. It comes with recovery codes.")
        by = str(Actor.moderator(moderator_id))
        note_act(session, by, "people", "made new recovery codes")
        return _give_recovery_codes(moderator)


def _give_recovery_codes(moderator: Moderator) -> list[str]:
    made = [
        f"{random.token_hex(2)}-{random.token_hex(2)}-{random.token_hex(2)}"
        for _ in range(RECOVERY_CODES)
    ]
    moderator.recovery_codes = [_hash(each) for each in made]
    return made


def admit(moderator_id: str, code: str) -> Moderator | None:
    """Return the account if this is a code of the app or a recovery code. Every code works once."""
    typed = code.strip().lower().replace(" ", "")
    with changing() as session:
        moderator = _locked(session, moderator_id)
        if moderator is None:
            return None
        left = moderator.recovery_codes or []
        if _take(moderator, typed):
            return moderator
        if _hash(typed) not in left:
            return None
        moderator.recovery_codes = [each for each in left if each != _hash(typed)]
        by = str(Actor.moderator(moderator_id))
        note_act(session, by, "people", "signed in with a recovery code")
    return moderator


def looks_like_a_code(typed: str) -> bool:
    """Whether an app could have shown this."""
    return len(typed) == DIGITS and digits_to_int(typed) is not None


def take_code(moderator_id: str, code: str) -> bool:
    """Whether this is a code of the app that was not used before. It counts as used then."""
    with changing() as session:
        moderator = _locked(session, moderator_id)
        return moderator is not None and _take(moderator, code)


def _locked(session: Session, moderator_id: str) -> Moderator | None:
    """Return the account if it has a second factor, locked so that no code works twice."""
    wanted = select(Moderator).where(Moderator.id == moderator_id).with_for_update()
    return session.scalar(wanted.where(Moderator.second_factor.is_not(None)))


def _take(moderator: Moderator, code: str) -> bool:
    secret = unseal(PURPOSE, moderator.second_factor or b"").decode()
    step = _step_of(secret, code, after=moderator.second_factor_used or 0)
    if step is not None:
        moderator.second_factor_used = step
    return step is not None


def is_on(moderator_id: str) -> bool:
    return recovery_codes_left(moderator_id) is not None


def recovery_codes_left(moderator_id: str) -> int | None:
    """Return how many recovery codes are unused. None without a second factor."""
    wanted = select(Moderator.recovery_codes, Moderator.second_factor).where(
        Moderator.id == moderator_id
    )
    with reading() as session:
        row = session.execute(wanted).one()
    return len(row.recovery_codes or []) if row.second_factor else None


def end(moderator_id: str) -> None:
    with changing() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.second_factor = moderator.second_factor_used = moderator.recovery_codes = None
        note_act(
            session, str(Actor.moderator(moderator_id)), "people", "turned off the second factor"
        )


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the time step of the code, if it is near now and after the last one used."""
    if not looks_like_a_code(code):
        return None
    current, counter = int(time.time()) // STEP_SECONDS, pyotp.HOTP(secret)
    steps = range(max(current - SPARE, after + 1), current + SPARE + 1)
    return next((step for step in steps if hmac.compare_digest(counter.at(step), code)), None)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
