"""`greenroom keys rotate-email`: every address sealed anew under a new key, while the service runs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from sqlalchemy import bindparam, func, select, update

from models.database import Base, begin, reading
from models.records import Comment
from models.secrets import add_email_key, decrypt_email, encrypt_email, key_of, retire_email_keys, secrets_path
from service.operations import Refused

ROWS_AT_ONCE = 500
FIRST = "00000000-0000-0000-0000-000000000000"  # sorts before every id
# Who sealed an address with the old key just before the new one came has committed it by then, or given up.
PATIENCE_SECONDS = 30.0
Step = Callable[[str, int, int], None]


class Rotated(NamedTuple):
    key: str
    moved: int
    retired: list[str]


def rotate_email(step: Step = lambda *_: None, *, patience: float = PATIENCE_SECONDS) -> Rotated:
    """Interrupted, it is gone on with by the next call. Raises `Refused` where an address cannot be read.

    Every process looks at secrets.json before it seals an address, and when it meets a key it does not know.
    """
    with _alone():
        key = add_email_key()
        moved = _move_all(key, step)
        time.sleep(patience)
        moved += _move_all(key, step)
        return Rotated(key, moved, retire_email_keys())


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time: the lock ends with the process that holds it."""
    path = secrets_path().with_name("secrets.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("The keys are being rotated already: wait for that, or end it.") from None
        yield


def _move_all(key: str, step: Step) -> int:
    """How many addresses were sealed with another key, and are now with this one."""
    with reading() as session:
        total = session.scalar(select(func.count(Comment.id)).where(Comment.email.is_not(None))) or 0
    moved, looked_at, last = 0, 0, FIRST
    while rows := _after(last):
        moved += _move([(row.id, row.email) for row in rows if key_of(row.email) != key])
        looked_at, last = looked_at + len(rows), rows[-1].id
        step("addresses", looked_at, total)
    return moved


def _after(last: str) -> Any:
    wanted = select(Comment.id, Comment.email).where(Comment.email.is_not(None), Comment.id > last)
    with reading() as session:
        return session.execute(wanted.order_by(Comment.id).limit(ROWS_AT_ONCE)).all()


def _move(stale: list[tuple[str, bytes]]) -> int:
    """Seal them anew, each only over what was read: an author who is erased meanwhile stays erased."""
    fresh = [{"its_id": id_, "was": sealed, "becomes": _reseal(id_, sealed)} for id_, sealed in stale]
    if fresh:
        with begin() as session:
            session.connection().execute(_RESEAL, fresh)
    return len(fresh)


def _reseal(id_: str, sealed: bytes) -> bytes:
    try:
        return encrypt_email(decrypt_email(sealed))
    except (InvalidTag, KeyError, ValueError) as error:
        raise Refused(
            f"The email of comment {id_} cannot be read with key {key_of(sealed)!r} of secrets.json. None was retired: "
            "put the secrets.json of its time there, or erase the comment."
        ) from error


_COMMENTS = Base.metadata.tables["comments"]
_RESEAL = update(_COMMENTS).where(_COMMENTS.c.id == bindparam("its_id"), _COMMENTS.c.email == bindparam("was"))
_RESEAL = _RESEAL.values(email=bindparam("becomes"))
