"""A fresh Greenroom for each test that asks for one: its own folder, database and keys; nothing is mocked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from models import database, secrets, storage
from models.migrate import upgrade
from models.settings import settings
from service import accounts, addresses, limits, sites, tokens
from service.app import create_app
from tests.caller import Caller


def forget() -> None:
    """What a process remembers, so that the next test starts like a new one."""
    database.engine().dispose()
    caches = (
        settings,
        database._engine_of,
        database._turn_of,
        secrets.secrets,
        secrets._cipher,
        storage._store_of,
        storage._local,
    )
    for cached in (*caches, tokens._signer, limits._limiter, limits._limits, addresses._key):
        cached.cache_clear()
    sites.forget_sites()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GREENROOM_DATA", str(folder))
        settings.cache_clear()
        upgrade()
        with database.engine().connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        forget()
    return folder / "greenroom.db"


@pytest.fixture
def data(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty, migrated database in a folder of its own, with a site `demo`."""
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "off")
    monkeypatch.setenv("GREENROOM_DNS", "127.0.0.1:1")  # nobody answers there
    monkeypatch.setenv("GREENROOM_DNS_SECONDS", "0.2")
    settings.cache_clear()
    shutil.copy(template, tmp_path / "greenroom.db")
    accounts.add_site("demo", ["https://paper.example"])
    yield tmp_path
    forget()


@pytest.fixture
def client(data: Path) -> FlaskClient:
    return create_app().test_client()


@pytest.fixture
def moderator(client: FlaskClient) -> Caller:
    """Someone who calls with a key that may do everything on `demo`."""
    return Caller(client, accounts.create_key("demo", "admin"))
