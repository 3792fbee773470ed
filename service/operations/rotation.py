"""`greenroom keys rotate-email`: every address sealed anew under a new key, while the
service runs.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from sqlalchemy import Row, bindparam, func, select, text, update

from models.records import Comment
from models.settings import settings
from models.store.database import Base, begin, engine, reading
from models.store.keyring import require_keys, retire
from models.store.secrets import (
    Secrets,
    are_brought,
    decrypt_email,
    encrypt_email,
    from_source,
    key_of,
    replace_secrets,
    reread,
    source,
    with_current_key_only,
    with_new_email_key,
)
from service.operations import Refused

ROWS_AT_ONCE = 500
FIRST = "00000000-0000-0000-0000-000000000000"  # sorts before every id
# Who sealed an address with the old key just before the new one came has committed it by then, or
# given up.
PATIENCE_SECONDS = 30.0
LOCK = 0x726F74617465  # "rotate", the advisory lock that lets one rotation run at a time
Step = Callable[[str, int, int], None]


class Rotated(NamedTuple):
    """`retired` are keys that no address needs any more; `to_remove` those of them that the
    operator has to remove.
    """

    key: str
    moved: int
    retired: list[str]
    to_remove: list[str]


def rotate_email(step: Step = lambda *_: None, *, patience: float = PATIENCE_SECONDS) -> Rotated:
    """Move every address to the newest key. An interrupted rotation is continued by the next call.

    If Greenroom keeps the keys itself, it makes the new key and deletes the old one. If the
    operator brings them, the operator adds a key before and removes the old one afterwards. Every
    process looks at the keys before it seals an address, and when it meets a key it does not know.
    Raises `Refused` if an address cannot be read.
    """
    with _alone():
        require_keys()
        kept = _with_new_key()
        moved = _move_all(kept.email_key, step)
        time.sleep(patience)
        moved += _move_all(kept.email_key, step)
        retired, left = (
            retire(kept),
            [key_id for key_id in kept.email_keys if key_id != kept.email_key],
        )
        if left and not are_brought():
            replace_secrets(with_current_key_only(kept))
            reread()
            return Rotated(kept.email_key, moved, left, [])
        return Rotated(kept.email_key, moved, retired, left)


def _with_new_key() -> Secrets:
    """The keys with a new one that is current. An interrupted rotation has left one: the old keys
    are still there.
    """
    kept = from_source()
    if not are_brought() and len(kept.email_keys) == 1:
        replace_secrets(with_new_email_key(kept))
    return reread()


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time: the lock ends with the process that holds it."""
    if engine().dialect.name == "postgresql":
        with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
                raise _rotating()
            try:
                yield
            finally:
                connection.invalidate()  # the lock ends with the connection
        return
    path = settings().data / "secrets.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _rotating() from None
        yield


def _rotating() -> Refused:
    return Refused("The keys are being rotated already: wait for that, or end it.")


def _move_all(key: str, step: Step) -> int:
    """How many addresses were sealed with another key, and are now with this one."""
    with reading() as session:
        total = (
            session.scalar(select(func.count(Comment.id)).where(Comment.email.is_not(None))) or 0
        )
    moved, looked_at, last = 0, 0, FIRST
    while rows := _after(last):
        moved += _move([(row.id, row.email) for row in rows if key_of(row.email) != key])
        looked_at, last = looked_at + len(rows), rows[-1].id
        step("addresses", looked_at, total)
    return moved


def _after(last: str) -> Sequence[Row[str, bytes | None]]:
    wanted = select(Comment.id, Comment.email).where(Comment.email.is_not(None), Comment.id > last)
    with reading() as session:
        return session.execute(wanted.order_by(Comment.id).limit(ROWS_AT_ONCE)).all()


def _move(stale: list[tuple[str, bytes]]) -> int:
    """Seal them anew, each only over what was read: an author who is erased meanwhile
    stays erased.
    """
    fresh = [
        {"its_id": id_, "was": sealed, "becomes": _reseal(id_, sealed)} for id_, sealed in stale
    ]
    if fresh:
        with begin() as session:
            session.connection().execute(_RESEAL, fresh)
    return len(fresh)


def _reseal(id_: str, sealed: bytes) -> bytes:
    try:
        return encrypt_email(decrypt_email(sealed))
    except (InvalidTag, KeyError, ValueError) as error:
        raise Refused(
            f"The email of comment {id_} cannot be read with key {key_of(sealed)!r} of "
            f"{source()}. None was retired: "
            "put that key back into email_keys, or erase the comment."
        ) from error


_COMMENTS = Base.metadata.tables["comments"]
_RESEAL = update(_COMMENTS).where(
    _COMMENTS.c.id == bindparam("its_id"), _COMMENTS.c.email == bindparam("was")
)
_RESEAL = _RESEAL.values(email=bindparam("becomes"))
