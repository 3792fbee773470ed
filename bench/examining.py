"""Measure `greenroom doctor` and `backup` on a large Greenroom: `python -m bench.examining [THREADS
[COMMENTS_EACH]]`.

The rows are those that the service would have written, inserted in bulk; the service publishes the
pages.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.texts import text
from models.identifiers import new_id
from models.judgement.evidence import CHECKS
from models.logs import configure_logs
from models.records import Thread
from models.store.database import Base, begin, engine, now
from models.store.migrate import upgrade
from models.store.secrets import encrypt_email
from service.operations import backup, doctor
from service.sites import registering
from worker.publishing.publishing import publish_threads

REPLY_EVERY, REJECT_EVERY, FLAG_EVERY = 4, 10, 50
EVIDENCE = [
    {
        "check": name,
        "outcome": "clear",
        "detail": "nothing found",
        "score": 0.1,
        "found": {},
        "counts": {},
        "ms": 0.2,
    }
    for name in CHECKS
]
Rows = dict[str, list[dict[str, Any]]]


def fill(site_id: int, threads: int, each: int) -> None:
    """Insert that many threads of that many settled comments each, and publish them."""
    for number in range(threads):
        thread_id = number + 1
        rows = _rows(site_id, thread_id, each)
        approved = [row for row in rows["comments"] if row["status"] == "approved"]
        tops = [
            row for row in rows["comments"] if row["place"] is not None and row["parent_id"] is None
        ]
        with begin() as session:
            about = {
                "count": len(approved),
                "places": len(tops),
                "revision": 1,
                "publish_due": now(),
            }
            session.add(Thread(id=thread_id, site_id=site_id, key=f"/article/{number}", **about))
            session.flush()
            for table, some in rows.items():
                session.connection().execute(insert(Base.metadata.tables[table]), some)
        publish_threads([thread_id])


def _rows(site_id: int, thread_id: int, each: int) -> Rows:
    rows: Rows = {
        table: [] for table in ("comments", "decisions", "events", "screenings", "reviews")
    }
    top: dict[str, Any] | None = None
    places, at = 0, now() - timedelta(days=30)
    for number in range(each):
        status = (
            "rejected"
            if number % REJECT_EVERY == 1
            else "flagged"
            if number % FLAG_EVERY == 2
            else "approved"
        )
        answers = top if number % REPLY_EVERY == 3 else None
        comment = _comment(site_id, thread_id, number, status) | {"at": at, "settled_at": at}
        comment |= {
            "parent_id": answers["id"] if answers else None,
            "top_id": (answers or comment)["id"],
            "places": 0,
        }
        if status == "approved":
            comment["place"] = answers["places"] if answers else places
            if answers:
                answers["places"] += 1
            else:
                top, places = comment, places + 1
        rows["comments"].append(comment)
        _settled(rows, comment, thread_id * each + number)
    return rows


def _comment(site_id: int, thread_id: int, number: int, status: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "site_id": site_id,
        "thread_id": thread_id,
        "status": status,
        "version": 2,
        "name": f"Reader {number}",
        "email": encrypt_email(f"reader{number}@example.org"),
        "email_index": f"{number:064x}",
        "body": text(number % 25),
        "html": f"<p>{text(number % 25)}</p>",
        "avatar": "0123",
        "screen_due": None,
        "screenings": 1,
        "place": None,
        "revision": 1 if status == "approved" else 0,
        "event_sequence": 1,
    }


def _settled(rows: Rows, comment: dict[str, Any], position: int) -> None:
    about = {"comment_id": comment["id"], "at": comment["at"]}
    verdict = {"approved": "approve", "flagged": "flag", "rejected": "reject"}[comment["status"]]
    decision = {
        "id": new_id(),
        "by": "policy",
        "verdict": verdict,
        "was": "pending",
        "becomes": comment["status"],
    }
    rows["decisions"].append(
        about | decision | {"version": 2, "reasons": ["nothing found"], "note": ""}
    )
    rows["screenings"].append(
        about | {"id": new_id(), "number": 1, "evidence": EVIDENCE, "policy_version": 1}
    )
    event = {
        "id": new_id(),
        "site_id": comment["site_id"],
        "position": position,
        "nth": 1,
        "sequence": 1,
    }
    data = {
        "comment": {"id": comment["id"], "html": comment["html"], "name": comment["name"]},
        "decision": decision,
    }
    rows["events"].append(about | event | {"type": f"comment.{comment['status']}", "data": data})
    if comment["status"] == "flagged":
        review = {
            "id": new_id(),
            "comment_id": comment["id"],
            "site_id": comment["site_id"],
            "cause": "flagged",
        }
        rows["reviews"].append(review | {"opened_at": comment["at"]})


def measure(what: str, work: Callable[[], object]) -> None:
    began, worked = time.perf_counter(), time.process_time()
    done = work()
    took = (
        f"{time.perf_counter() - began:.1f} s ({time.process_time() - worked:.1f} s of processor)"
    )
    _say(f"{what}: {took}, most memory so far {_memory():.0f} MB  {done or ''}")


def _memory() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _examine() -> str:
    steps: dict[str, float] = {}
    found = doctor.examine(lambda what, *_: steps.setdefault(what, time.perf_counter()) and None)
    began = list(steps.items())
    ends = [*(at for _, at in began[1:]), time.perf_counter()]
    parts = ", ".join(
        f"{what} {end - at:.1f} s" for (what, at), end in zip(began, ends, strict=True)
    )
    return f"{found.counts.total()} violations ({parts})"


def main(threads: int, each: int) -> None:
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        os.environ.update({"GREENROOM_DATA": f"{folder}/var", "GREENROOM_LOG_LEVEL": "error"})
        configure_logs()
        upgrade()
        registering.add_site("demo", ["https://paper.example"])
        measure(f"filling {threads:,} threads of {each:,}", lambda: fill(1, threads, each))
        with begin() as session:
            session.execute(
                Base.metadata.tables["sites"].update().values(event_sequence=(threads + 1) * each)
            )
        measure("doctor", _examine)
        measure("backup", lambda: backup.backup(Path(folder) / "b.zip", with_secrets=True) and None)
        _say(
            f"the file has {(Path(folder) / 'b.zip').stat().st_size / 1e6:.0f} MB, "
            f"{engine().dialect.name}"
        )


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    main(*map(int, (sys.argv[1:] + ["2000", "500"][len(sys.argv) - 1 :])[:2]))
