"""Fixtures for the tests of checks: a real DNS server, a SQLite file, and comments to check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import insert

from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.records import Comment, Fingerprint, Site, Thread
from models.settings import settings
from models.store import database
from models.store.database import begin, engine
from tests.fakes.dns_server import DnsServer
from worker import resolver
from worker.checks.repeats import fingerprints

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

ZONE = {
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "old.test": {"A": ["192.0.2.7"]},
    "six.test": {"AAAA": ["2001:db8::7"]},
    "null.test": {"MX": ["0 ."]},
    "web.test": {"TXT": ['"no mail here"']},
    "xn--bcher-kva.test": {"MX": ["10 mail.paper.test."]},
    "com": {"NS": ["ns.com."]},
    "gmail.com": {"MX": ["5 mx.gmail.com."]},
    "mailinator.com": {"MX": ["5 mx.mailinator.com."]},
}

Comes = Callable[..., Candidate]


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test its own data folder, and hide the developer's environment."""
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    for name in (
        "GREENROOM_DATABASE_URL",
        "GREENROOM_RATE_LIMITS",
        "GREENROOM_DNS",
        "GREENROOM_DNS_SECONDS",
    ):
        monkeypatch.delenv(name, raising=False)
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    database.engine.cache_clear()
    resolver.resolver.cache_clear()


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        settings.cache_clear()
        resolver.resolver.cache_clear()

    return change


@pytest.fixture
def dns(set_env: Callable[[str, str], None]) -> Iterator[DnsServer]:
    with DnsServer(ZONE) as server:
        for name, value in server.environment.items():
            set_env(name, value)
        yield server


@pytest.fixture
def impatient(dns: DnsServer, set_env: Callable[[str, str], None]) -> None:
    """Shorten the time-out for a silent server, because the test must wait for it."""
    set_env("GREENROOM_DNS_SECONDS", "0.4")


@pytest.fixture
def records(
    _own_settings: None, database_url: str, set_env: Callable[[str, str], None]
) -> Iterator[None]:
    """An empty database with site 1 and its thread 1, and site 2 with thread 2."""
    set_env("GREENROOM_DATABASE_URL", database_url)
    with begin() as session:
        session.execute(
            insert(Site), [{"id": n, "key": f"site-{n}", "origins": []} for n in (1, 2)]
        )
        session.execute(insert(Thread), [{"id": n, "site_id": n, "key": "/"} for n in (1, 2)])
    yield
    engine().dispose()


@pytest.fixture
def comes() -> Comes:
    """A comment that waits to be screened; only in memory."""

    def make(body: str = "I read it twice.", **more: Any) -> Candidate:
        given: dict[str, Any] = {
            "id": new_id(),
            "site_id": 1,
            "name": "Ann",
            "email": "ann@paper.test",
            "at": NOON,
            "language": "en",
        }
        given |= {
            "email_index": "ann",
            "address": "home",
            "origins": ("https://paper.example",),
            **more,
        }
        return Candidate(body=body, thread_id=given["site_id"], **given)

    return make


@pytest.fixture
def kept(records: None, comes: Comes) -> Comes:
    """The same with its row in the database, and with `screened=True` also its fingerprints."""

    def keep(
        body: str = "I read it twice.",
        *,
        status: str = "pending",
        screened: bool = False,
        erased: bool = False,
        **more: Any,
    ) -> Candidate:
        comment = comes(body, **more)
        with begin() as session:
            session.add(
                Comment(
                    id=comment.id,
                    site_id=comment.site_id,
                    thread_id=comment.thread_id,
                    top_id=comment.id,
                    status=status,
                    name=comment.name,
                    body=body,
                    email_index=comment.email_index,
                    address=comment.address,
                    at=comment.at,
                    erased_at=NOON if erased else None,
                )
            )
            session.flush()
            if screened and (rows := fingerprints([comment])):
                session.execute(insert(Fingerprint), rows)
        return comment

    return keep


class CasinoModel:
    """A working model: the more casinos, the more it is spam."""

    version = "casino-1"
    languages, acquainted = frozenset({"en", "de"}), frozenset({"fr"})

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []

    def probabilities(self, texts: Sequence[str], _: object = None) -> NDArray[np.float64]:
        self.asked.append(texts)
        return np.array([1 - 0.96 * 0.5 ** text.count("casino") for text in texts])


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> CasinoModel:
    model, module = CasinoModel(), ModuleType("models.classifier.model")
    module.base_model = lambda: model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models.classifier.model", module)
    return model
