"""Measure the console with a queue of 100,000 comments: the server's time for each page and each
decision, on both databases.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.reading import Row
from models.records import Review
from models.settings import settings
from models.store.database import reading
from models.store.keyring import require_keys
from models.store.migrate import upgrade
from service.app import create_app
from service.people import accounts
from service.sites import registering
from tests.caller import Client, client_of
from tests.conftest import forget
from tests.fakes.postgres import postgresql
from tests.models.store import test_plans

MOST_MS, ROUNDS = 150, 9
PASSWORD = "correct horse battery"
# Every tenth comment belongs to one of a hundred campaigns of a hundred, and 20,000 belong to one.
CAMPAIGN = (
    "CASE WHEN n > 60001 AND n <= 80000 THEN {largest} WHEN n > 1000 AND n % 10 = 0 "
    "THEN {hundredth} END"
)
FLAGGED = {
    **{
        table: rows
        for table, rows in test_plans.ROWS.items()
        if table not in {"deliveries", "attempts"}
    },
    "comments": test_plans.ROWS["comments"]
    | {
        "status": "'flagged'",
        "screen_due": "NULL",
        "risk": "(n % 1009) / 1009.0",
        "found": "' links spam '",
    }
    | {
        "body": "'Number ' || n || ' of many'",
        "language": "CASE WHEN n % 50 = 0 THEN 'de' ELSE 'en' END",
    }
    | {"campaign": CAMPAIGN},
    "reviews": test_plans.ROWS["reviews"] | {"closed_at": "NULL", "risk": "(n % 1009) / 1009.0"},
}
PAGES = {
    "the queue": "/console/",
    "riskiest first": "/console/?order=risk",
    "newest first": "/console/?order=newest",
    "more of it": "/console/rows?after={middle}",
    "within a campaign of 20,000": "/console/rows?after={large}",
    "that campaign alone": "/console/?campaign={large}",
    "one comment": "/console/items/{middle}",
    "one thread of 20,000": "/console/?thread=1",
    "one language": "/console/?language=de",
    "one check": "/console/?check=links",
    "a check that found nothing": "/console/?check=words",
    "one author": "/console/?tab=all&author={middle}",
    "a rare word": "/console/?q=54321",
    "a word of all": "/console/?q=many",
    "the counts": "/console/counts",
    "the log": "/console/log",
}


def measure() -> list[Row]:
    return [row for database in ("SQLite", "PostgreSQL") for row in _measure(database)]


def _measure(database: str) -> list[Row]:
    with filled(database) as client:
        csrf = sign_in_by_form(client)
        places = {"middle": test_plans.id_of(50_000), "large": test_plans.id_of(60_001)}
        took = {
            name: _median(lambda p=path: _get(client, p.format(**places)))
            for name, path in PAGES.items()
        }
        took |= _deciding(client, csrf)
    slowest = max(took, key=lambda name: took[name])
    figures = f"slowest: {slowest} {took[slowest]:.0f} ms; a decision {took['a decision']:.0f} ms"
    for name, ms in sorted(took.items(), key=lambda each: -each[1]):
        print(f"    {database}: {name} {ms:.0f} ms")
    ratio = took[slowest] / MOST_MS
    return [
        Row(
            f"console, 100,000 flagged, {database}: slowest median ÷ 150 ms",
            figures,
            ratio,
            "≤ 1",
            ratio <= 1,
        )
    ]


def _deciding(client: Client, csrf: str) -> dict[str, float]:
    with reading() as session:
        ids = iter(
            session.query(Review.comment_id)
            .order_by(Review.comment_id)
            .limit(100 * ROUNDS + ROUNDS)
            .all()
        )
    made: list[str] = []

    def decide(count: int) -> None:
        items = [{"id": next(ids)[0], "version": 2} for _ in range(count)]
        answer = client.post(
            "/console/decisions",
            json={"verdict": "reject", "reason": "spam", "items": items},
            headers={"X-Greenroom-CSRF": csrf},
        )
        assert answer.status_code == 200, answer.text
        made.extend(each["decision"] for each in answer.json["done"])

    def undo() -> None:
        answer = client.post(
            "/console/undo", json={"decisions": [made.pop()]}, headers={"X-Greenroom-CSRF": csrf}
        )
        assert answer.status_code == 200, answer.text

    return {
        "a decision": _median(lambda: decide(1)),
        "an undo": _median(undo),
        "50 at once": _median(lambda: decide(50)),
    }


def _get(client: Client, path: str) -> None:
    answer = client.get(path, headers={"X-Greenroom": "item"})
    assert answer.status_code == 200, path


def _median(work: Callable[[], object]) -> float:
    """Return the median in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return median(times) * 1000


def sign_in_by_form(client: Client) -> str:
    """Sign in as Ann, and return the token that her calls carry."""
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    client.post("/console/sign-in", data={"email": "ann@paper.example", "password": PASSWORD})
    found = re.search(r'data-csrf="(\w+)"', client.get("/console/").text)
    assert found
    return found[1]


@contextmanager
def filled(database: str) -> Iterator[Client]:
    """Run the service in this process with 100,000 comments that wait for a human."""
    kept: dict[str, Any] = {
        name: value for name, value in os.environ.items() if name.startswith("GREENROOM_")
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-bench-")))
        os.environ.update(
            GREENROOM_DATA=str(folder), GREENROOM_LOG_LEVEL="error", GREENROOM_DNS="127.0.0.1:1"
        )
        os.environ.pop("GREENROOM_DATABASE_URL", None)
        if database == "PostgreSQL":
            server = stack.enter_context(postgresql())
            server.execute("CREATE DATABASE bench")
            os.environ["GREENROOM_DATABASE_URL"] = server.url("bench")
        forget()
        upgrade()
        require_keys()
        registering.add_site("demo", ["https://paper.example"])
        test_plans.fill(FLAGGED)
        try:
            yield client_of(create_app())
        finally:
            forget()
            for name in [name for name in os.environ if name.startswith("GREENROOM_")]:
                del os.environ[name]
            os.environ.update(kept)
            settings.cache_clear()
