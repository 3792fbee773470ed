"""Run one worker: Celery's own, in this process, with Greenroom's options."""

from __future__ import annotations

import sys
import warnings
from typing import cast

from celery.bin.celery import celery
from celery.exceptions import SecurityWarning

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
    status = _celery(
        [
            "--quiet",
            "worker",
            f"--queues={queues}",
            f"--hostname=worker-{queues.partition(',')[0]}@%h",
            f"--concurrency={settings().screeners}",
            "--pool=threads",
            f"--loglevel={settings().log_level}",
            # Workers do not talk to each other: nobody asks Celery which workers exist, and
            # heartbeats are rows in the database.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
    if status:
        sys.exit(status)


def _celery(words: list[str]) -> int | None:
    """Run Celery's own command and return its exit status, which `app.worker_main` does not
    return.
    """
    celery.params[0].default = app
    return cast(int | None, celery.main(args=words, standalone_mode=False))
