"""`greenroom backup`: every table as it was at one moment, in one file.

The file is a zip archive with one line of JSON per row. It can be read and checked with common
tools, and restored into SQLite or PostgreSQL.
"""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    cast,
    func,
    select,
)

import models.records  # noqa: F401 — the schema is whole only with every table imported
from models.store.database import Base, engine, now
from models.store.schema import current
from models.store.secrets import as_json, reread
from service.operations import Refused

FORMAT = 1
LEVEL = 3  # deflate level; a higher one at half the speed would save a tenth
ROWS_AT_ONCE = 2_000
# Restoring writes a new keyring, and chores belong to the old database. Heartbeats, sign-ins and
# links are short-lived. The keys of readers' address hashes are deleted after a day.
LEFT_OUT = frozenset(
    {"heartbeats", "console_sessions", "address_keys", "claims", "tickets", "keyring", "chores"}
)
Step = Callable[[str, int, int], None]  # a table, its rows so far, all its rows
Convert = Callable[[Any], object]  # a value that JSON can hold


class Member(BaseModel):
    """One table: its columns in the order of each line's values."""

    columns: list[str]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What the file contains. `keys` tells whether secrets belong to this backup, and reveals
    nothing about them.
    """

    format: int
    made: datetime
    revision: str
    database: str
    keys: str
    email_keys: list[str]
    tables: dict[str, Member]


def tables() -> list[Table]:
    """Return the tables in the backup, each after the ones it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def backup(
    path: Path, *, with_secrets: bool, replace: bool = False, step: Step = lambda *_: None
) -> Manifest:
    """Write the backup while the service runs. The file gets its name once it is complete.

    Raises `Refused` if the file exists, unless `replace` is true: it may be the only good backup.
    """
    if path.exists() and not replace:
        raise _is_there(path)
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive,
            snapshot() as connection,
        ):
            manifest = _manifest()
            for table in tables():
                manifest.tables[table.name] = _write(connection, archive, table, step)
            if with_secrets:
                archive.writestr("secrets.json", as_json(reread()))
            archive.writestr("manifest.json", manifest.model_dump_json(indent=2))
        file.flush()
        os.fsync(file.fileno())
    if replace:
        draft.replace(path)
        return manifest
    try:
        os.link(draft, path)  # unlike a rename, a link never replaces a file that came meanwhile
    except FileExistsError:
        raise _is_there(path) from None
    finally:
        draft.unlink()
    return manifest


def _is_there(path: Path) -> Refused:
    return Refused(f"{path} already exists: choose another name, or overwrite it with --replace.")


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Yield a connection that sees one moment, however long it reads, and blocks nobody."""
    with engine().connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def _manifest() -> Manifest:
    kept = reread()
    return Manifest(
        format=FORMAT,
        made=now(),
        revision=str(current()),
        database=engine().dialect.name,
        keys=kept.derived("backup").hex(),
        email_keys=list(kept.email_keys),
        tables={},
    )


def _write(connection: Connection, archive: zipfile.ZipFile, table: Table, step: Step) -> Member:
    columns = list(table.columns)
    total = connection.execute(select(func.count()).select_from(table)).scalar_one()
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(
        select(*map(_plain, columns)).order_by(*table.primary_key)
    )
    conversions = [
        (place, _CONVERSIONS[kind])
        for place, kind in enumerate(map(_kind, columns))
        if kind in _CONVERSIONS
    ]
    digest, count = hashlib.sha256(), 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
        for some in rows.partitions():
            lines = b"".join(_line(row, conversions) for row in some)
            digest.update(lines)
            member.write(lines)
            count += len(some)
            step(table.name, count, total)
    return Member(
        columns=[column.name for column in columns], rows=count, sha256=digest.hexdigest()
    )


def _line(row: Sequence[object], conversions: list[tuple[int, Convert]]) -> bytes:
    values = list(row)
    for place, convert in conversions:
        if values[place] is not None:
            values[place] = convert(values[place])
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _plain(column: Column[object]) -> ColumnElement[object] | ColumnElement[str]:
    """Return the column as text, if the database stores it as text. Making an object of each value
    only to write it again would take most of the time.
    """
    match _kind(column):
        case "json":
            return cast(column, Text()).label(column.name)
        case "uuid":
            return cast(column, String(36)).label(column.name)
    return column


def _kind(column: Column[object]) -> str:
    kinds = ((JSON, "json"), (Uuid, "uuid"), (LargeBinary, "bytes"))
    return next((name for kind, name in kinds if isinstance(column.type, kind)), "")


_CONVERSIONS: dict[str, Convert] = {
    "json": orjson.Fragment,
    "uuid": lambda value: value.replace("-", ""),
    "bytes": lambda value: base64.b64encode(value).decode(),
}
