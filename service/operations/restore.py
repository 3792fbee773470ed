"""`greenroom restore`: fill an empty database from a backup of either kind of database."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    LargeBinary,
    Table,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.store.database import Base, begin, now, reading
from models.store.keyring import replace_keyring
from models.store.schema import current, is_current
from models.store.secrets import (
    Secrets,
    add_keys,
    are_brought,
    forget_secrets,
    from_source,
    is_there,
    keep_secrets,
    parsed,
    secrets_path,
    source,
)
from service.operations import Refused
from service.operations.backup import FORMAT, ROWS_AT_ONCE, Manifest, Step, tables

Row = dict[str, Any]  # a table's values by column; their types depend on the table
Load = Callable[[str], object]  # parses a value from its text in the backup


def restore(path: Path, step: Step = lambda *_: None) -> Manifest:
    """Restore everything or nothing, in one transaction. Afterwards every page is due to be
    published.

    Raises `Refused`, with what to do next.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _check_database(manifest)
            kept = _take_keys(archive, manifest)
            with begin() as session:
                _fill(session.connection(), archive, manifest, step)
                replace_keyring(session, kept)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise Refused(
            f"{path} is not a Greenroom backup, or it is damaged ({type(error).__name__})."
        ) from error
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    manifest = Manifest.model_validate_json(archive.read("manifest.json"))
    if manifest.format != FORMAT:
        raise Refused(
            f"This backup has format {manifest.format}; this Greenroom reads format {FORMAT}."
        )
    return manifest


def _check_database(manifest: Manifest) -> None:
    if not is_current():
        raise Refused("The database is not at the newest schema: run `greenroom migrate` first.")
    if manifest.revision != current():
        raise Refused(
            f"This backup has schema {manifest.revision}, but this release has {current()}. "
            "Restore it with the release that made it, then run `greenroom migrate` with this "
            "one."
        )
    with reading() as session:
        for table in tables():
            if session.execute(select(table).limit(1)).first():
                raise Refused(
                    f"The database is not empty (it has {table.name}): restore into a new database."
                )


def _take_keys(archive: zipfile.ZipFile, manifest: Manifest) -> Secrets:
    """Take over the keys of the backup: without them, no email address can be read."""
    if "secrets.json" in archive.namelist() and not are_brought():
        brought = parsed(archive.read("secrets.json"), "this backup")
        keep_secrets(brought)
        if from_source().root == brought.root:
            add_keys(brought)
    elif not is_there():
        raise Refused(
            "This backup does not contain the keys: put the secrets.json from that time into "
            f"{secrets_path().parent} first."
        )
    kept = from_source()
    if kept.derived("backup").hex() != manifest.keys or not set(manifest.email_keys) <= set(
        kept.email_keys
    ):
        raise Refused(
            f"The keys in {source()} do not belong to this backup: replace them with the keys "
            "from that time."
        )
    forget_secrets()
    return kept


def _fill(connection: Connection, archive: zipfile.ZipFile, manifest: Manifest, step: Step) -> None:
    for table in tables():
        if table.name in manifest.tables:
            _load(connection, archive, table, manifest, step)
            _count_on(connection, table)
    threads = Base.metadata.tables["threads"]
    connection.execute(update(threads).values(published_revision=0, lease=None, lease_until=None))
    connection.execute(update(threads).where(threads.c.revision > 0).values(publish_due=now()))


def _load(
    connection: Connection, archive: zipfile.ZipFile, table: Table, manifest: Manifest, step: Step
) -> None:
    member = manifest.tables[table.name]
    loads = {name: load for name in member.columns if (load := _load_of(table.c[name].type))}
    later, digest, count = _Later(table), hashlib.sha256(), 0
    with archive.open(f"{table.name}.jsonl") as lines:
        while some := list(islice(lines, ROWS_AT_ONCE)):
            for line in some:
                digest.update(line)
            rows = [_row(line, member.columns, loads) for line in some]
            connection.execute(insert(table), [later.without(row) for row in rows])
            count += len(rows)
            step(table.name, count, member.rows)
    if (count, digest.hexdigest()) != (member.rows, member.sha256):
        raise Refused(f"The {table.name} in this backup are damaged. Nothing was restored.")
    later.write(connection)


def _row(line: bytes, columns: list[str], loads: dict[str, Load]) -> Row:
    row: Row = dict(zip(columns, orjson.loads(line), strict=True))
    for name, load in loads.items():
        if row[name] is not None:
            row[name] = load(row[name])
    return row


def _load_of(kind: TypeEngine[Any]) -> Load | None:
    known: tuple[tuple[type, Load], ...] = (
        (DateTime, datetime.fromisoformat),
        (Date, date.fromisoformat),
        (LargeBinary, base64.b64decode),
    )
    plain = kind.impl if isinstance(kind, TypeDecorator) else kind
    return next((load for its_kind, load in known if isinstance(plain, its_kind)), None)


class _Reference(NamedTuple):
    """A column of one row that names another row of the same table."""

    row_id: str
    column: str
    target: str


class _Later:
    """References to later rows of the same table: they are written at the end. Such rows exist if a
    machine's clock was behind.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = [key.parent.name for key in table.foreign_keys if key.column.table is table]
        self.held: list[_Reference] = []

    def without(self, row: Row) -> Row:
        """The row, without references to rows that are not written yet."""
        for name in self.columns:
            if row[name] is not None and row[name] > row["id"]:
                self.held.append(_Reference(row["id"], name, row[name]))
                row[name] = None
        return row

    def write(self, connection: Connection) -> None:
        for reference in self.held:
            its_row = update(self.table).where(self.table.c.id == reference.row_id)
            connection.execute(its_row.values({reference.column: reference.target}))


def _count_on(connection: Connection, table: Table) -> None:
    """Set PostgreSQL's counter to continue after the highest id in the table."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is not None:
        named = {"table": table.name, "column": column.name, "highest": highest}
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"), named
        )
