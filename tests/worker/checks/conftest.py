"""Fixtures for the tests of checks: a real DNS server, a SQLite file, and comments to check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from models.classifier.attributes import Attributes
from models.classifier.features import COLUMNS, word_columns
from models.classifier.model import Floats, LinearModel
from models.classifier.sparse import Sparse
from models.classifier.text import read
from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.judgement.scores import ABUSE, SPAM
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
                    reader_id=comment.reader_id,
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


class CountingModel(LinearModel):
    """A working model: the more of one word, the worse the comment. It notes how many comments each
    question was about.
    """

    def __init__(self, word: str, version: str, acquainted: Sequence[str] = ()) -> None:
        weights = np.zeros(COLUMNS, np.float32)
        weights[word_columns(read(word))[0]] = 12.0
        super().__init__(weights, -3.2, ("en", "de"), version, acquainted)
        self.asked: list[int] = []

    def of_rows(self, rows: Sparse, languages: Sequence[str] = ()) -> Floats:
        self.asked.append(rows.height)
        return super().of_rows(rows, languages)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, CountingModel]:
    """Take the place of the base models, by score."""
    models = {
        SPAM: CountingModel("casino", "casino-1", acquainted=["fr"]),
        ABUSE: CountingModel("idiot", "idiot-1"),
    }
    monkeypatch.setattr("models.classifier.model.loaded", models.__getitem__)
    monkeypatch.setattr("models.classifier.attributes.base_attributes", lambda score: INSULTS)
    return models


@pytest.fixture
def model(models: dict[str, CountingModel]) -> CountingModel:
    """The same for a test that is about spam."""
    return models[SPAM]


def _insults() -> Attributes:
    weights = np.zeros((2, COLUMNS), np.float32)
    weights[0, word_columns(read("idiot"))[0]] = 12
    weights[1, word_columns(read("hell"))[0]] = 12
    return Attributes(("insult", "profanity"), weights, np.array([-3.2, -3.2]))


INSULTS = _insults()
