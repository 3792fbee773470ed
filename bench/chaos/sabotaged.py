"""The `greenroom` command without one of its guarantees, to prove that the checker would notice.

The constraint that `no-unique` removes is dropped from the database itself, see `drop_unique`.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Sequence

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import update

from models.records import Thread
from models.store import storage
from models.store.database import begin, engine, reading
from worker import gathering, sweep
from worker.bell import PUBLISH
from worker.publishing import publishing
from worker.publishing.pages import changed_pages

COMMAND = [sys.executable, "-m", "bench.chaos.sabotaged"]
WHICH = "CHAOS_SABOTAGE"


def without_sweep() -> None:
    """Let the timer send heartbeats and do nothing else."""

    def run(self: sweep.Sweeper) -> None:
        while not self._ending.wait(5):
            sweep._beat(self.worker, swept=True)

    sweep.Sweeper.run = run  # type: ignore[method-assign]


def without_lease() -> None:
    """Allow many publishers at the same time, even within one process, where `Gathering` otherwise
    keeps an order.
    """
    os.environ["GREENROOM_SCREENERS"] = "8"
    gathering.Gathering.do = lambda self, items: self._work(items)  # type: ignore[method-assign]
    publishing.publish_threads = publish_at_will
    sweep.IN_PLACE[PUBLISH] = publish_at_will


def publish_at_will(thread_ids: Sequence[int]) -> int:
    """Publish in the naive way: every publisher writes what it sees, and records that it did."""
    for thread_id in thread_ids:
        with reading() as session:
            since = session.get_one(Thread, thread_id).published_revision
            snapshot = changed_pages(session, thread_id, since)
        time.sleep(
            random.choice([0, 0, 0, 2])
        )  # like storage on another machine that stalls sometimes
        for item in snapshot.objects:
            storage.put(*item)
        with begin() as session:
            done = {"published_revision": snapshot.revision, "publish_due": None}
            session.execute(update(Thread).where(Thread.id == thread_id).values(done))
    return len(thread_ids)


def drop_unique() -> None:
    """Drop the constraint that the same author's same words are one comment."""
    with engine().begin() as connection:
        alter = Operations(MigrationContext.configure(connection)).batch_alter_table
        with alter("comments") as comments:
            comments.drop_constraint("uq_comments_thread_id_said_once", type_="unique")


SABOTAGE: dict[str, Callable[[], None]] = {
    "no-sweep": without_sweep,
    "no-lease": without_lease,
    "no-unique": lambda: None,
}


def main() -> None:
    from service.commands import main  # noqa: PLC0415 — only now, as it may take up what is patched here
    from service.up import supervisor  # noqa: PLC0415

    SABOTAGE[os.environ[WHICH]]()
    supervisor.GREENROOM = COMMAND
    main.main()


if __name__ == "__main__":
    main()
