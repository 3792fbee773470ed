"""Explain an error of a store in one sentence, for the operator.

The error's own text is never shown, because it may quote a reader or a password. It only selects
one of our sentences. Errors are recognised by name, so that a process without SQLAlchemy or obstore
need not load them.
"""

from __future__ import annotations

import errno

# By the database's own name of the error: psycopg's classes, SQLite's codes.
DATABASE = {
    "AdminShutdown": "the database is shutting down",
    "CrashShutdown": "the database is recovering from a crash",
    "CannotConnectNow": "the database is starting up or shutting down",
    "TooManyConnections": "the database has no free connection",
    "DiskFull": "the database's disk is full",
    "ReadOnlySqlTransaction": "the database is read-only: it may be a standby",
    "DeadlockDetected": "the database ended a deadlock",
    "LockNotAvailable": "another database session holds a lock",
    "Unanswered": "the database does not respond in time",
    "UndefinedTable": "the database lacks a table: run `greenroom migrate`",
    "UndefinedColumn": "the database lacks a column: run `greenroom migrate`",
    "SQLITE_BUSY": "another process has locked the database file",
    "SQLITE_CANTOPEN": "the database file can't be opened",
    "SQLITE_FULL": "the database's disk is full",
    "SQLITE_IOERR": "the database's disk reports errors",
    "SQLITE_READONLY": "the database file is read-only",
}
# By the client's message if there is no code, which mostly means no connection. The first match
# counts.
CLIENT = {
    "refused": "nothing is listening at the database's address",
    "authentication failed": "the database rejects the user or the password",
    "starting up": DATABASE["CannotConnectNow"],
    "shutting down": DATABASE["AdminShutdown"],
    "too many clients": DATABASE["TooManyConnections"],
    "resolve host": "the database's host name can't be resolved",
    "translate host name": "the database's host name can't be resolved",
    "does not exist": "the database server has no database or user with that name",
    "no such table": DATABASE["UndefinedTable"],
    "no such column": DATABASE["UndefinedColumn"],
}
ITS_OWN = {
    "OperationalError",
    "InterfaceError",
    "TimeoutError",
}  # SQLAlchemy's other errors may be our own bugs
# By obstore's message. The first match counts.
STORAGE = {
    "NoSuchBucket": "there is no such bucket",
    "PermissionDenied": "the storage rejects the credentials, or the request made with them",
    "Unauthenticated": "the storage rejects the credentials",
    "BareRedirect": "the bucket is not in the region that AWS_REGION names",
    "kind: Timeout": "the storage does not respond in time",
    "kind: Connect": "nothing is listening at the storage's address",
}
# By kombu's message, whichever broker it is. The first match counts.
BROKER = {
    "invalid username-password": "the broker rejects the user or the password",
    "Authentication": "the broker rejects the user or the password",
    "ACCESS_REFUSED": "the broker rejects the user or the password",
    "OutOfMemory": "the broker's memory is full",
    "'maxmemory'": "the broker's memory is full",
    "DB index": "the broker has no database with that number",
    "not known": "the broker's host name can't be resolved",
    "refused": "nothing is listening at the broker's address",
    "Timeout": "the broker does not respond in time",
}
BROKERS = {"kombu", "redis", "amqp"}
MACHINE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's disk quota is full",
    errno.EACCES: "this user has no permission to write there",
    errno.EPERM: "this user has no permission to write there",
    errno.EROFS: "the file system is read-only",
}


def in_words(error: BaseException) -> str | None:
    """Return the sentence for an error of a store, or None if no store caused it. Then it may be
    our own bug, and its traceback says more.
    """
    package, name = type(error).__module__.partition(".")[0], type(error).__name__
    if package == "sqlalchemy":
        cause = getattr(error, "orig", None)
        return (
            _named(cause)
            or _said(CLIENT, cause)
            or ("the database does not respond" if name in ITS_OWN else None)
        )
    if package == "obstore" or (isinstance(error, FileNotFoundError) and error.errno is None):
        return _said(STORAGE, error) or (
            "the storage does not respond" if package == "obstore" else None
        )
    if package in BROKERS:
        return _said(BROKER, error) or "the broker does not respond"
    return MACHINE.get(error.errno or 0) if isinstance(error, OSError) else None


def is_database_trouble(error: BaseException) -> bool:
    """Whether the cause is the database, whatever class its driver gave the error."""
    return _named(getattr(error, "orig", None)) is not None


def is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return _named(getattr(error, "orig", None)) == DATABASE["DiskFull"]


def _named(cause: BaseException | None) -> str | None:
    code = "_".join(
        str(getattr(cause, "sqlite_errorname", "")).split("_")[:2]
    )  # SQLITE_IOERR_WRITE is an IOERR
    return DATABASE.get(code) or DATABASE.get(type(cause).__name__)


def _said(sentences: dict[str, str], error: BaseException | None) -> str | None:
    words = f"{type(error).__name__} {error}"
    return next((sentence for sign, sentence in sentences.items() if sign in words), None)
