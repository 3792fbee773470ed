"""Compare each process's keys with the fingerprints in the database before the process works.

A fingerprint is an HMAC under the root key. It reveals nothing about a key to anyone without the
root key, and it distinguishes two keys that have the same id.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from cryptography.exceptions import InvalidTag
from sqlalchemy import ColumnElement, SQLColumnExpression, func, literal, select, text
from sqlalchemy.orm import Session

from models.records import (
    Block,
    Comment,
    Endpoint,
    Keyring,
    Moderator,
    Reader,
    SignOnSecret,
)
from models.store.database import begin, engine, is_writing, reading
from models.store.secrets import (
    Secrets,
    UnknownKey,
    WrongKeys,
    confirm_keys,
    decrypt_email,
    from_source,
    generated,
    is_there,
    keep_secrets,
    missing,
    secrets,
    secrets_path,
    source,
    unseal,
)

ONLY = 1  # the id of the only row
LOCK = 0x6B657973  # "keys", the advisory lock under which the row is written
# Addresses whose key ids are checked: a process with other keys would have left its traces among
# them.
NEWEST = 200
SEALED = (
    (Endpoint.sealed, "webhook secrets"),
    (Moderator.second_factor, "second factor"),
    (SignOnSecret.sealed, "sign-on secret"),
)
REMEDY = "restore the keys of this database from your backup (operations/RUNBOOKS.md, Keys)"


def require_keys() -> None:
    """Load the keys and check that they belong to the database. Every process and command calls
    this before it works.

    A new installation gets its keys here. Raises `WrongKeys`.
    """
    confirm_keys(secrets())


def make_keys() -> None:
    """Make the keys of a new installation. If several processes try, one makes them. Raises
    `WrongKeys` if the database was used with other keys before.
    """
    refuse_missing_keys()
    if (
        is_writing()
    ):  # a late caller, in a transaction of its own: the next comparison records the fingerprint
        _make_file()
        return
    with _alone() as session:
        if is_there():  # another process was first
            return
        if session.get(Keyring, ONLY) or _depends(session):
            raise missing()
        _make_file()
        _write(session, from_source())


def _make_file() -> None:
    try:
        keep_secrets(generated())
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise WrongKeys(
            f"Can't write the keys to {secrets_path()} ({why}): make its folder writable, or "
            "provide the keys in GREENROOM_SECRETS or GREENROOM_SECRETS_FILE (`greenroom "
            "secrets generate` prints new ones)."
        ) from None


def check_keys(kept: Secrets, *, may_record: bool = True) -> bool:
    """Compare the keys with the fingerprints, and record fingerprints that are missing. Return
    False if some are left to record.

    Raises `WrongKeys` if the keys are not the database's.
    """
    with reading() as session:
        row = session.get(Keyring, ONLY)
        if row is None:
            _prove(session, kept)
        else:
            _compare(row, kept)
            _compare_newest(session, kept)
            if kept.email_keys.keys() <= row.email_keys.keys():
                return True
    may_record = may_record and not is_writing()
    if may_record:
        with _alone() as session:
            row = session.get(Keyring, ONLY)
            if row is not None:  # another process was first
                _compare(row, kept)
            _write(session, kept)
    return may_record


def refuse_missing_keys() -> None:
    """Raise `WrongKeys` if the database needs its keys and they are missing. This makes no keys and
    records nothing.
    """
    if is_there():
        return
    with reading() as session:
        needs_keys = session.get(Keyring, ONLY) or _depends(session)
    # Another process may have made them in the meantime: it writes the file before the row.
    if needs_keys and not is_there():
        raise missing()


def replace_keyring(session: Session, kept: Secrets) -> None:
    """Record the keys that a restored database came with. Nothing in it depends on earlier keys."""
    if row := session.get(Keyring, ONLY):
        session.delete(row)
        session.flush()
    _write(session, kept)


def retire(kept: Secrets) -> list[str]:
    """Record that only the current key is still needed for addresses. Return the ids of the keys
    that are no longer needed.
    """
    with _alone() as session:
        row = session.get_one(Keyring, ONLY)
        old = [
            key_id
            for key_id in row.email_keys
            if key_id != kept.email_key and key_id not in row.retired
        ]
        row.retired = [*row.retired, *old]
    return old


@contextmanager
def _alone() -> Iterator[Session]:
    """Let one process in at a time, until its transaction ends. SQLite has one writer anyway."""
    with begin() as session:
        if engine().dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield session


def _write(session: Session, kept: Secrets) -> None:
    marks = {key_id: _mark(kept, key_id) for key_id in kept.email_keys}
    row = session.get(Keyring, ONLY)
    if row is None:
        session.add(Keyring(id=ONLY, root=_root_mark(kept), email_keys=marks, retired=[]))
    else:
        row.email_keys = {**row.email_keys, **marks}


def _root_mark(kept: Secrets) -> str:
    return kept.derived("fingerprint of the root key").hex()


def _mark(kept: Secrets, key_id: str) -> str:
    named = f"{key_id}\0{kept.email_keys[key_id]}".encode()
    return hmac.digest(kept.derived("fingerprint of email keys"), named, "sha256").hex()


def _depends(session: Session) -> bool:
    """Whether anything in the database is encrypted, signed or looked up with keys."""
    wanted = (
        select(Comment.id),
        select(Endpoint.id),
        select(SignOnSecret.id),
        select(Reader.id),
        select(Block.id).where(Block.kind == "author"),
        select(Moderator.id).where(Moderator.second_factor.is_not(None)),
    )
    return any(session.execute(some.limit(1)).first() for some in wanted)


def _compare(row: Keyring, kept: Secrets) -> None:
    """Raise `WrongKeys` unless the keys are those of the row, perhaps with newer ones added."""
    if not hmac.compare_digest(row.root, _root_mark(kept)):
        raise WrongKeys(f"The keys in {source()} do not belong to this database: {REMEDY}.")
    for key_id, mark in row.email_keys.items():
        if key_id in kept.email_keys:
            if not hmac.compare_digest(mark, _mark(kept, key_id)):
                raise WrongKeys(
                    f"Key {key_id!r} in {source()} is not the key of that id that this "
                    f"database knows: {REMEDY}."
                )
        elif key_id not in row.retired:
            raise _lacks(key_id)
    if kept.email_key in row.retired:
        raise WrongKeys(
            f"email_key in {source()} is {kept.email_key!r}, which has been retired: give the "
            "keys that the last "
            "rotation ended with."
        )


def _lacks(key_id: str) -> WrongKeys:
    return WrongKeys(
        f"{source()} lacks the key {key_id!r}, with which addresses in the database are "
        "encrypted: put it back into "
        "email_keys from your backup (operations/RUNBOOKS.md, Keys)."
    )


def _compare_newest(session: Session, kept: Secrets) -> None:
    newest = select(Comment.email).order_by(Comment.id.desc()).limit(NEWEST).subquery()
    for key_id in session.scalars(
        select(_key_id(newest.c.email)).where(newest.c.email.is_not(None)).distinct()
    ):
        if key_id.decode(errors="replace") not in kept.email_keys:
            raise _lacks(key_id.decode(errors="replace"))


def _prove(session: Session, kept: Secrets) -> None:
    """Check the keys of a database without fingerprints: they must decrypt what it holds. This
    reads every address once.
    """
    for key_id in session.scalars(
        select(_key_id(Comment.email)).where(Comment.email.is_not(None)).distinct()
    ).all():
        its_id = key_id + b"\0"
        one = select(Comment.email).where(func.substr(Comment.email, 1, len(its_id)) == its_id)
        sealed = session.scalars(one.limit(1)).one_or_none()
        if key_id.decode(errors="replace") not in kept.email_keys:
            raise _lacks(key_id.decode(errors="replace"))
        if sealed:
            _try(partial(decrypt_email, sealed))
    for column, purpose in SEALED:
        sealed = session.scalars(select(column).where(column.is_not(None)).limit(1)).first()
        if sealed:
            _try(partial(unseal, purpose, sealed))


def _try(opens: Callable[[], object]) -> None:
    try:
        opens()
    except (InvalidTag, UnknownKey, ValueError):
        raise WrongKeys(f"The keys in {source()} can't decrypt this database: {REMEDY}.") from None


def _key_id(column: SQLColumnExpression[bytes | None]) -> ColumnElement[bytes]:
    """Return the bytes before the first NUL."""
    nul = literal(b"\0")
    if engine().dialect.name == "postgresql":
        return func.substr(column, 1, func.position(nul.op("IN")(column)) - 1)
    return func.substr(column, 1, func.instr(column, nul) - 1)
