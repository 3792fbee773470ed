"""Settle many sites by several workers at once on PostgreSQL: `python -m bench.sites [SITES
[WORKERS [SECONDS]]]`.

Each batch holds comments of random sites in random order. Batches by the policy and by a moderator,
publishers, and erasures run at the same time. The requirement: PostgreSQL reports no deadlock.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time

import psycopg
from sqlalchemy import select

from bench.screening import pending
from models.judgement.policy import Verdict
from models.records import Comment, Site, Thread
from models.settling.actor import Actor
from models.settling.changes import Change
from models.settling.erasing import erase
from models.settling.settling import settle
from models.store.database import Base, begin, now, reading
from models.store.migrate import upgrade
from service.sites import registering
from tests.fakes.postgres import postgresql
from worker.publishing.publishing import publish_threads
from worker.screening.screening import screen_now

BATCH, ERASED = 20, 2


def work(seconds: float, seed: int) -> int:
    """Run one worker: post, screen, decide, publish and erase until the time is over. Return how
    many comments it settled.
    """
    choose, count, end = random.Random(seed), 0, time.monotonic() + seconds
    with reading() as session:
        threads = session.execute(select(Thread.id, Thread.site_id)).all()
    while time.monotonic() < end:
        rows = [
            pending(each.site_id, each.id, count + number, now())
            for number, each in enumerate(choose.choices(threads, k=BATCH))
        ]
        with begin() as session:
            session.execute(Base.metadata.tables["comments"].insert(), rows)
        ids = [str(row["id"]) for row in rows]
        screen_now(ids)
        choose.shuffle(ids)
        with begin() as session:
            settle(
                session,
                [Change(id_, choose.choice(list(Verdict)), by=Actor.moderator("1")) for id_ in ids],
            )
        publish_threads([int(str(row["thread_id"])) for row in rows])
        for id_ in ids[:ERASED]:
            with begin() as session:
                erase(session, id_, by=Actor.moderator("1"))
        count += BATCH
    return count


def main(sites: int = 40, workers: int = 3, seconds: int = 60) -> int:
    with tempfile.TemporaryDirectory(prefix="greenroom-") as folder, postgresql() as server:
        server.execute("CREATE DATABASE bench")
        alone = {
            "GREENROOM_DNS": "127.0.0.1:1",
            "GREENROOM_DNS_SECONDS": "0.2",
            "GREENROOM_LOG_LEVEL": "error",
        }
        os.environ.update(alone, GREENROOM_DATA=folder, GREENROOM_DATABASE_URL=server.url("bench"))
        upgrade()
        for number in range(sites):
            registering.add_site(f"site{number}", ["https://paper.example"])
        with begin() as session:
            for site in session.scalars(select(Site.id)).all():
                session.add(Thread(site_id=site, key="/harbour"))
        command = [sys.executable, "-m", "bench.sites", "--work", str(seconds)]
        processes = [subprocess.Popen([*command, str(seed)]) for seed in range(workers)]
        statuses = [process.wait() for process in processes]
        with reading() as session:
            count = len(
                session.scalars(select(Comment.id).where(Comment.status != "pending")).all()
            )
        deadlocks = _deadlocks(server.url("bench"))
    print(
        f"{sites} sites, {workers} workers, {seconds} s: {count} comments settled, {deadlocks} "
        "deadlocks"
    )
    return int(any(statuses) or deadlocks > 0)


def _deadlocks(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row
    return int(row[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(float(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
