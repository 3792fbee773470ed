"""A second factor: one-time codes (RFC 6238), and recovery codes for a lost phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
import time

import pyotp
from sqlalchemy import select

from models.records import Moderator
from models.settling.actor import Actor
from models.store.database import begin as changing
from models.store.database import reading
from models.store.secrets import seal, unseal
from models.text.numbers import digits_to_int
from service.moderation.log import note_act

STEP_SECONDS = 30
SPARE = 1  # steps before and after now are accepted as well, because clocks differ
RECOVERY_CODES = 10
PURPOSE = "second factor"


def new_secret() -> str:
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """The address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret, name=email, issuer="Greenroom").provisioning_uri()


def begin(moderator_id: str, secret: str, code: str) -> list[str] | None:
    """Turn the second factor on if the code is right. Returns the recovery codes, which are shown
    only now, or None for a wrong code.
    """
    step = _step_of(secret, code, after=0)
    if step is None:
        return None
    made = [
        f"{random.token_hex(2)}-{random.token_hex(2)}-{random.token_hex(2)}"
        for _ in range(RECOVERY_CODES)
    ]
    with changing() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.second_factor = seal(PURPOSE, secret.encode())
        moderator.second_factor_used = step
        moderator.recovery_codes = [_hash(each) for each in made]
        note_act(session, str(Actor.moderator(moderator_id)), "people", "turned on a second factor")
    return made


def admit(moderator_id: str, code: str) -> Moderator | None:
    """The account, if the code is right. Every code works once."""
    typed = code.strip().lower().replace(" ", "")
    with changing() as session:
        wanted = select(Moderator).where(Moderator.id == moderator_id).with_for_update()
        moderator = session.execute(wanted).scalar_one_or_none()
        if moderator is None or moderator.second_factor is None:
            return None
        secret = unseal(PURPOSE, moderator.second_factor).decode()
        step = _step_of(secret, typed, after=moderator.second_factor_used or 0)
        left = moderator.recovery_codes or []
        if step is not None:
            moderator.second_factor_used = step
        elif _hash(typed) in left:
            moderator.recovery_codes = [each for each in left if each != _hash(typed)]
            by = str(Actor.moderator(moderator_id))
            note_act(session, by, "people", "signed in with a recovery code")
        else:
            return None
    return moderator


def recovery_codes_left(moderator_id: str) -> int | None:
    """How many recovery codes are unused. None without a second factor."""
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
    """The time step that the code belongs to, if it is near now and after the last one used."""
    if len(code) != 6 or digits_to_int(code) is None:
        return None
    current, counter = int(time.time()) // STEP_SECONDS, pyotp.HOTP(secret)
    steps = range(max(current - SPARE, after + 1), current + SPARE + 1)
    return next((step for step in steps if hmac.compare_digest(counter.at(step), code)), None)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
