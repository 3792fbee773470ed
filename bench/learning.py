"""Measure learning from 5,000 decisions of a site's moderators: `python -m bench.learning
[DECISIONS]`.

The process is the one that a worker starts. The comments have about the length of real ones, and a
third of them are spam.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import insert, select, update

from bench.reading import Row
from bench.texts import sentence
from models.identifiers import new_id
from models.records import Site, SiteModelRecord, Thread
from models.store.database import Base, begin, now, reading
from models.store.migrate import upgrade
from service.sites import registering

DECISIONS, SITE = 5000, "learning"
MOST_SECONDS, MOST_MB = 20, 500
LURES = "casino jackpot bonus deposit payout roulette crypto wallet profit forex".split()


def measure(decisions: int = DECISIONS) -> list[Row]:
    """Measure on the migrated database that the environment names, with a new site."""
    registering.add_site(SITE, ["https://paper.example"])
    site_id = _fill(decisions)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "worker.learning", str(site_id)])
    _, status, used = os.wait4(process.pid, 0)
    seconds, megabytes = time.perf_counter() - began, used.ru_maxrss / 1024
    assert status == 0
    with reading() as session:
        card = session.execute(
            select(SiteModelRecord.card).where(SiteModelRecord.site_id == site_id)
        ).scalar_one()
    work, figure = (
        f"learn from {decisions:,} decisions",
        f"{seconds:.1f} s, {card['bytes'] / 1000:.0f} kB",
    )
    return [
        Row(
            f"{work}: time",
            figure,
            seconds / MOST_SECONDS,
            f"≤ {MOST_SECONDS} s",
            seconds <= MOST_SECONDS,
        ),
        Row(
            f"{work}: memory",
            f"{megabytes:.0f} MB",
            megabytes / MOST_MB,
            f"≤ {MOST_MB} MB",
            megabytes <= MOST_MB,
        ),
    ]


def _fill(decisions: int) -> int:
    """Insert comments that were screened and decided by hand."""
    with begin() as session:
        site = session.execute(select(Site).where(Site.key == SITE)).scalar_one()
        thread = Thread(site_id=site.id, key="/learning")
        session.add(thread)
        session.flush()
        rows = [
            _rows(site.id, thread.id, n, now() - timedelta(minutes=decisions - n))
            for n in range(decisions)
        ]
        for table in ("comments", "screenings", "decisions"):
            session.connection().execute(
                insert(Base.metadata.tables[table]), [row[table] for row in rows]
            )
        session.execute(
            update(Site)
            .where(Site.id == site.id)
            .values(learn_due=now(), fresh_decisions=decisions)
        )
        return site.id


def _rows(site_id: int, thread_id: int, number: int, at: Any) -> dict[str, dict[str, Any]]:
    chance, id_ = random.Random(number), new_id()
    is_spam = number % 3 == 0
    body = " ".join(sentence(chance) for _ in range(chance.randint(1, 8)))
    body += (
        f" {' '.join(chance.sample(LURES, 3))} https://{chance.choice(LURES)}.example"
        if is_spam
        else ""
    )
    verdict, status = ("reject", "rejected") if is_spam else ("approve", "approved")
    about = {"comment_id": id_, "at": at}
    evidence = [
        {
            "check": "spam",
            "outcome": "clear",
            "detail": "",
            "counts": {"context": 1, "links away": int(is_spam)},
        }
    ]
    decided = {
        "site_id": site_id,
        "by": "key:bench",
        "teaches": True,
        "reason": "spam" if is_spam else None,
        "verdict": verdict,
        "was": "flagged",
        "becomes": status,
    }
    return {
        "comments": {
            "id": id_,
            "site_id": site_id,
            "thread_id": thread_id,
            "top_id": id_,
            "status": status,
        }
        | {"name": "Ann", "body": body, "language": "en", "at": at, "screen_due": None},
        "screenings": about
        | {"id": new_id(), "number": 1, "evidence": evidence, "policy_version": 1},
        "decisions": about | {"id": new_id(), "version": 3, "reasons": [], "note": ""} | decided,
    }


def main(decisions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        os.environ.update(GREENROOM_DATA=str(Path(folder) / "var"), GREENROOM_LOG_LEVEL="error")
        upgrade()
        for row in measure(decisions):
            Console().print(
                f"{row.work}: {row.figure} (bar {row.bar}, {'met' if row.is_met else 'not met'})"
            )


if __name__ == "__main__":
    main(int((sys.argv[1:] or [DECISIONS])[0]))
