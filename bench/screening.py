"""Measure screening: comments per second of one worker with all checks, compared with empty tasks
on the same worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from celery import Celery
from sqlalchemy import func, insert, select

from bench.reading import Row
from bench.texts import text
from models.identifiers import new_id
from models.records import Comment, Thread
from models.store.database import begin, now, reading
from models.store.secrets import email_index, encrypt_email
from tests.greenroom import until
from worker.bell import MOST_A_MESSAGE, SCREEN
from worker.broker import RING_OPTIONS, common

EMPTY, COMMENTS = 6_000, 3_000
_WORKER = """
from worker.app import app
@app.task(name="empty")
def empty(_): pass
from worker.working import work
work("screen,publish,empty")
"""


def _pending(site_id: int, count: int) -> list[str]:
    """Insert comments as the accept path writes them, on threads of 50."""
    ids, at = [], now()
    with begin() as session:
        for start in range(0, count, 50):
            thread = Thread(site_id=site_id, key=f"/screen/{new_id()}")
            session.add(thread)
            session.flush()
            rows = [pending(site_id, thread.id, number, at) for number in range(start, start + 50)]
            session.execute(insert(Comment), rows)
            ids += [row["id"] for row in rows]
    return ids


def pending(site_id: int, thread_id: int, number: int, at: object) -> dict[str, object]:
    """Return a comment's row as the accept path writes it."""
    id_, email = new_id(), f"screened{number}@example.org"
    return {
        "id": id_,
        "site_id": site_id,
        "thread_id": thread_id,
        "top_id": id_,
        "name": f"Reader {number}",
        "email": encrypt_email(email),
        "email_index": email_index(email),
        "body": text(2_000_000_000 + number),
        "avatar": "0123456789ab",
        "at": at,
        "address": f"{number:064d}",
        "form": {"token": "valid", "seconds": 30.0, "honeypot": False},
        "screen_due": at,
    }


def measure(data: Path, redis_url: str, site_id: int) -> list[Row]:
    app = Celery("bench", set_as_current=False)
    app.conf.update(common(), broker_url=redis_url, broker_transport_options=RING_OPTIONS)
    variables = {**os.environ, "GREENROOM_DATA": str(data), "GREENROOM_REDIS_URL": redis_url}
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER], env=variables, stderr=subprocess.DEVNULL
    )
    try:
        warm = _pending(site_id, 50)
        app.send_task(SCREEN, [warm])
        until(lambda: _left(warm) == 0, 90)
        empty = _empty(app)
        screened = _screened(app, site_id)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    figures = f"{screened:,.0f} comments/s, {empty:,.0f} empty tasks/s"
    return [
        Row(
            "screen ÷ the worker's empty tasks",
            figures,
            screened / empty,
            "≥ 1.0",
            screened / empty >= 1,
        )
    ]


def _empty(app: Celery) -> float:
    """Return empty tasks per second, between two looks at the queue while it is emptied."""
    for number in range(EMPTY):
        app.send_task("empty", [number], queue="empty")
    with app.connection_for_read() as connection:
        queue = connection.default_channel.client  # type: ignore[attr-defined]
        first, began = queue.llen("empty"), time.monotonic()
        until(lambda: queue.llen("empty") < EMPTY / 10, 120)
        return float((first - queue.llen("empty")) / (time.monotonic() - began))


def _screened(app: Celery, site_id: int) -> float:
    ids = _pending(site_id, COMMENTS)
    began = time.monotonic()
    for start in range(0, COMMENTS, MOST_A_MESSAGE):
        app.send_task(SCREEN, [ids[start : start + MOST_A_MESSAGE]])
    until(lambda: _left(ids) == 0, 120)
    return COMMENTS / (time.monotonic() - began)


def _left(ids: list[str]) -> int:
    with reading() as session:
        waiting = select(func.count(Comment.id)).where(
            Comment.status == "pending", Comment.id.between(ids[0], ids[-1])
        )
        return session.execute(waiting).scalar_one()
