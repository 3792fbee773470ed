"""Run one worker: Celery's own, in this process, with Greenroom's options."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from celery.exceptions import SecurityWarning
from celery.utils.nodenames import host_format

from models.logs import configure_logs
from models.settings import settings
from worker.app import app
from worker.broker import CLUSTER, RING_OPTIONS, is_cluster


def work(queues: str) -> None:
    """Work on some queues, comma-separated, until SIGTERM. The first of them names the worker.

    Ends the process with a status other than 0 if the worker cannot continue.
    """
    # Celery warns root users about pickled messages; ours are JSON, and nothing else is accepted.
    warnings.simplefilter("ignore", SecurityWarning)
    configure_logs()  # Celery sets up logging only after the checks were loaded
    with app.connection_for_write(transport_options=RING_OPTIONS) as connection:
        if is_cluster(connection):
            sys.exit(CLUSTER)
    status = _run(
        {
            "quiet": True,
            "queues": queues.split(","),
            "hostname": host_format(f"worker-{queues.partition(',')[0]}@%h"),
            "concurrency": settings().screeners,
            "pool_cls": "threads",
            "loglevel": settings().log_level.upper(),
            # Workers do not talk to each other: nobody asks Celery which workers exist, and
            # heartbeats are rows in the database.
            "without_gossip": True,
            "without_mingle": True,
            "without_heartbeat": True,
        }
    )
    if status:
        sys.exit(status)


def _run(options: dict[str, Any]) -> int | None:
    """Run a worker as Celery's command does, without loading that command: it brings a prompt and
    other things for people at a terminal. Returns the exit status.
    """
    worker = app.Worker(**options)
    worker.start()
    return worker.exitcode
