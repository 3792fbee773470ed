"""Measure reading: independent of the size of the thread, and close to the same server's empty
answer.
"""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from sqlalchemy import insert

from bench.load import get, load
from bench.texts import text
from models.identifiers import new_id
from models.records import Thread
from models.store.database import Base, begin, now
from worker.publishing.publishing import publish_threads

SIZES = (20, 1_000, 100_000)
SECONDS, ROUNDS = 1.5, 5


class Row(NamedTuple):
    work: str
    figure: str
    ratio: float
    bar: str
    is_met: bool


def fill(site_id: int, size: int) -> None:
    """Insert and publish a thread of that many approved top-level comments."""
    at, rows = now(), []
    for place in range(size):
        id_ = new_id()
        rows.append(
            {
                "id": id_,
                "site_id": site_id,
                "top_id": id_,
                "status": "approved",
                "name": f"Reader {place}",
                "body": "",
                "html": f"<p>{text(place % 25)}</p>",
                "avatar": "0123456789ab",
                "at": at,
                "screen_due": None,
                "place": place,
                "revision": 1,
            }
        )
    with begin() as session:
        thread = Thread(
            site_id=site_id,
            key=f"/size/{size}",
            count=size,
            places=size,
            revision=1,
            publish_due=at,
        )
        session.add(thread)
        session.flush()
        thread_id = thread.id
        for start in range(0, size, 5000):
            chunk = [row | {"thread_id": thread_id} for row in rows[start : start + 5000]]
            session.connection().execute(insert(Base.metadata.tables["comments"]), chunk)
    publish_threads([thread_id])


def measure(port: int) -> list[Row]:
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for size in SIZES:
            path = f"/v1/sites/demo/comments?thread=/size/{size}"
            rates.setdefault(str(size), []).append(load(port, get(path), seconds=SECONDS).rate)
        rates.setdefault("empty", []).append(load(port, get("/health/live"), seconds=SECONDS).rate)
    middle = {name: median(found) for name, found in rates.items()}
    sizes = [middle[str(size)] for size in SIZES]
    flat, share = max(sizes) / min(sizes), min(sizes) / middle["empty"]
    figures = ", ".join(f"{size:,}: {middle[str(size)]:,.0f}/s" for size in SIZES)
    return [
        Row(
            "read threads of 20, 1,000, 100,000: fastest ÷ slowest",
            figures,
            flat,
            "≤ 1.2",
            flat <= 1.2,
        ),
        Row(
            "read ÷ the server's empty answer",
            f"{middle['empty']:,.0f}/s empty",
            share,
            "≥ 0.6",
            share >= 0.6,
        ),
    ]
