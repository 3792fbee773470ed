"""`greenroom keys rotate-email`: encrypt every address again with a new key, while the service
runs.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
    text,
    update,
)

from models.records import Comment, Mail, Notice, Proof, Reader
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
# A process that used the old key just before the new one arrived has committed by then, or given
# up.
PATIENCE_SECONDS = 30.0
LOCK = 0x726F74617465  # "rotate", the advisory lock that lets one rotation run at a time
Step = Callable[[str, int, int], None]


class Rotated(NamedTuple):
    """`retired` are keys that no address needs any more; `to_remove` are those of them that the
    operator has to remove.
    """

    key: str
    moved: int
    retired: list[str]
    to_remove: list[str]


def rotate_email(step: Step = lambda *_: None, *, patience: float = PATIENCE_SECONDS) -> Rotated:
    """Move every address to the newest key. The next call continues an interrupted rotation.

    If Greenroom keeps the keys itself, it makes the new key and deletes the old one. If the
    operator provides them, the operator adds a key before and removes the old one afterwards. Every
    process reads the keys again before it encrypts an address, and when it finds a key that it does
    not know. Raises `Refused` if an address cannot be read.
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
    """Return the keys with a new current one. If an interrupted rotation has left one, use that:
    the old keys still exist.
    """
    kept = from_source()
    if not are_brought() and len(kept.email_keys) == 1:
        replace_secrets(with_new_email_key(kept))
    return reread()


@contextmanager
def _alone() -> Iterator[None]:
    """Allow one rotation at a time. The lock ends with its process."""
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
    return Refused("Another rotation is running: wait for it to finish, or stop it.")


class Sealed(NamedTuple):
    """A column with encrypted addresses. `noun` names one of its rows to people."""

    noun: str
    table: Table
    column: str

    @property
    def address(self) -> ColumnElement[bytes | None]:
        return self.table.c[self.column]


def _sealed(noun: str, record: type[Base], column: str) -> Sealed:
    return Sealed(noun, Base.metadata.tables[record.__tablename__], column)


COMMENTS = _sealed("comment", Comment, "email")
SEALED = (
    COMMENTS,
    _sealed("reader", Reader, "email"),
    _sealed("mail", Mail, "address"),
    _sealed("confirmation", Proof, "address"),
    _sealed("notice", Notice, "contact"),
)


def _move_all(key: str, step: Step) -> int:
    """Return how many addresses were encrypted with another key and now use this one."""
    with reading() as session:
        total = sum(session.scalar(_count(sealed)) or 0 for sealed in SEALED)
    moved, looked_at = 0, 0
    for sealed in SEALED:
        last = FIRST
        while rows := _after(sealed, last):
            stale = [(row.id, row.address) for row in rows if key_of(row.address) != key]
            moved += _move(sealed, stale)
            looked_at, last = looked_at + len(rows), rows[-1].id
            step("addresses", looked_at, total)
    return moved


def _count(sealed: Sealed) -> Select[int]:
    return select(func.count()).select_from(sealed.table).where(sealed.address.is_not(None))


def _after(sealed: Sealed, last: str) -> Sequence[Row[str, bytes | None]]:
    its_id = sealed.table.c.id
    wanted = select(its_id, sealed.address.label("address"))
    wanted = wanted.where(sealed.address.is_not(None), its_id > last)
    with reading() as session:
        return session.execute(wanted.order_by(its_id).limit(ROWS_AT_ONCE)).all()


def _move(sealed: Sealed, stale: list[tuple[str, bytes]]) -> int:
    """Encrypt the addresses again, each only if it is still what was read: an author who was erased
    meanwhile stays erased.
    """
    fresh = [
        {"its_id": id_, "was": address, "becomes": _reseal(sealed, id_, address)}
        for id_, address in stale
    ]
    if fresh:
        mine = (sealed.table.c.id == bindparam("its_id")) & (sealed.address == bindparam("was"))
        resealed = update(sealed.table).where(mine).values({sealed.column: bindparam("becomes")})
        with begin() as session:
            session.connection().execute(resealed, fresh)
    return len(fresh)


def _reseal(sealed: Sealed, id_: str, address: bytes) -> bytes:
    try:
        return encrypt_email(decrypt_email(address))
    except (InvalidTag, KeyError, ValueError) as error:
        raise Refused(
            f"The email of {sealed.noun} {id_} can't be decrypted with key {key_of(address)!r} "
            f"from {source()}. No key was retired. Restore that key in email_keys, or erase the "
            f"{sealed.noun}."
        ) from error
