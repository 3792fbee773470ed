"""A fresh Greenroom for each test that asks for one, with its own folder, database and keys.
Nothing is mocked.

A test that uses `data`, or a fixture based on it, runs twice: on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import Engine

from models import runtime
from models.settings import settings
from models.store import database, keyring, secrets
from models.store.migrate import upgrade
from service.app import create_app
from service.people import accounts
from service.sites import registering
from tests.answers import check_answers
from tests.caller import Caller, Client, client_of
from tests.fakes.postgres import TEMPLATE, PostgreSQL, postgresql
from tests.greenroom import PATIENCE, until
from worker.screening import screening

TESTS = Path(__file__).parent
MEMORY, MOST_BYTES = Path("/dev/shm"), 2**28

# Each file runs in one worker, and the longest files start first. Otherwise one worker would still
# run one of them when the other is done. The order is by wall-clock time on an idle machine.
LONG = (
    "browser/test_console",
    "worker/test_brokers",
    "story/test_mirror",
    "models/store/test_plans",
    "story/test_learning",
    "service/up/test_signs",
    "models/migrations/test_migrations",
    "browser/test_hands",
    "chaos/test_failpoints",
    "worker/screening/test_isolation",
    "browser/test_embed",
    "deploy/test_walk",
    "service/operations/test_doctor",
    "worker/learning/test_training",
    "story/test_story",
    "service/console/test_queue",
    "service/up/test_ending",
    "browser/test_without_javascript",
    "security/test_openapi",
    "models/store/test_deadlines",
    "service/webhooks/test_webhooks",
    "models/store/test_keyring",
    "models/migrations/test_killed",
    "service/api/test_openapi",
    "browser/test_fresh",
    "service/test_routes",
    "chaos/test_full_disk",
    "chaos/test_poison",
    "service/gate/test_clients",
    "service/api/test_clients",
    "worker/publishing/test_publishing",
    "browser/test_examples",
    "service/people/test_live_links",
    "chaos/test_watchdog",
    "models/judgement/test_policy",
    "service/comments/test_accepting",
    "service/up/test_supervisor",
    "service/operations/test_metrics",
    "security/test_documents",
    "chaos/test_frozen",
    "service/api/test_scripting",
    "test_patterns",
    "service/comments/test_mending",
    "story/test_erasure",
    "worker/screening/test_screening",
    "worker/checks/test_blocks",
    "bench/test_fuzz",
    "service/operations/test_backup",
    "worker/checks/test_email",
    "service/console/test_confirming",
    "service/webhooks/test_tools",
    "security/test_observatory",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {TESTS / f"{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def forget() -> None:
    """Empty the caches of this process, so that the next test starts like a new process."""
    _let_come_home()
    database.engine().dispose()
    runtime.replace()


def _let_come_home() -> None:
    """Wait for background threads that use this test's database. Otherwise the next test would find
    their open connection and fail.
    """
    for thread in threading.enumerate():
        if thread.name in {"alarm", "mail"}:
            thread.join(PATIENCE)
    pool: Any = database.engine().pool
    until(lambda: pool.checkedout() == 0)


@pytest.fixture(scope="session", autouse=True)
def _engines_come_again() -> Iterator[None]:
    """Reuse a database's engine with its compiled statements, but with new connections. Compiling
    them again was a quarter of a test's time.
    """
    make = database.engine.make

    @lru_cache(4)
    def made(url: str, threads: int) -> Engine:
        return make()

    def again() -> Engine:
        engine = made(settings().sqlalchemy_url, settings().database_threads)
        engine.dispose()
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.engine, "make", again)
        yield


def pytest_collection_finish() -> None:
    _collect_garbage()


@pytest.fixture(scope="module", autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    """Collect garbage after each file, so that a warning about an open resource fails that file,
    and not the test that runs when Python next collects garbage.
    """
    yield
    _collect_garbage()


def _collect_garbage() -> None:
    """Collect garbage, then freeze everything that stays alive: modules, tests, the session's
    fixtures. Otherwise Python looks through them again at each collection, which took a fifth of
    the suite's CPU time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sqlite_file() -> Iterator[Path]:
    """Return the path of a test's database. It is not in the test's own folder, so that the next
    test finds the engine for it. It is in memory if there is space: every commit is synced, and no
    machine dies here.
    """
    has_room = (
        MEMORY.is_dir()
        and os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > MOST_BYTES
    )
    with TemporaryDirectory(prefix="greenroom-", dir=MEMORY if has_room else None) as folder:
        yield Path(folder) / "greenroom.db"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(GREENROOM_DATA=str(folder))
    return folder / "greenroom.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A PostgreSQL server with a migrated database to copy."""
    with postgresql() as server:
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(GREENROOM_DATABASE_URL=server.url(TEMPLATE))
        yield server


def _migrate(**environment: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        forget()  # a test may have started on another database
        upgrade()
        if database.engine().dialect.name == "sqlite":
            with database.engine().connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        forget()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty, migrated database."""
    if request.param == "sqlite":
        file: Path = request.getfixturevalue("sqlite_file")
        for old in file.parent.iterdir():
            old.unlink()
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
    else:
        with request.getfixturevalue("postgres").lent() as url:
            yield url


@pytest.fixture
def data(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new folder and an empty, migrated database, with a site `demo`."""
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setenv("GREENROOM_DATABASE_URL", database_url)
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "off")
    monkeypatch.setenv("GREENROOM_DNS", "127.0.0.1:1")  # nothing listens there
    monkeypatch.setenv("GREENROOM_DNS_SECONDS", "0.2")
    settings.cache_clear()
    forget()  # code that ran after the last test may have made an engine for no test's database
    registering.add_site("demo", ["https://paper.example"])
    yield tmp_path
    forget()


@pytest.fixture(scope="session")
def app() -> Flask:
    """One application for all tests: it holds routes and templates, and compiling them takes longer
    than most tests. A test that changes how an app is made makes its own.
    """
    settings.cache_clear()
    made = create_app()
    check_answers(made)
    settings.cache_clear()
    return made


@pytest.fixture(scope="session")
def keys() -> secrets.Secrets:
    """The keys of every test's Greenroom. A new installation makes its own, but that takes longer
    than most tests.
    """
    return secrets.generated()


@pytest.fixture
def client(data: Path, app: Flask, keys: secrets.Secrets) -> Client:
    secrets.keep_secrets(keys)
    with database.begin() as session:
        keyring.replace_keyring(session, keys)
    # as every process does at its start; inside another transaction it would wait for itself
    keyring.require_keys()
    return client_of(app)


@pytest.fixture(scope="session", autouse=True)
def _passwords_at_little_cost() -> Iterator[None]:
    """Hash passwords cheaply. The real cost (64 MB, three times) slows down guessing, and nobody
    guesses here. Passwords from the command line are hashed at full cost, and a test checks that.
    """
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def _screening_takes_what_it_takes() -> Iterator[None]:
    """Turn off the limit on a screening's CPU time, which would end this process: a worker warms up
    first, and its heap is smaller than that of a hundred tests. The limit is tested in separate
    processes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screening, "cpu_limit", lambda seconds: nullcontext())
        yield


@pytest.fixture
def moderator(client: Client) -> Caller:
    """A caller with a key that may do everything on `demo`."""
    return Caller(client, accounts.create_key("demo", "admin", learn=True))
