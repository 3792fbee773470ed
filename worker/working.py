"""One worker: Celery's own, in this process, with the options Greenroom means."""

from __future__ import annotations

import warnings

from celery.exceptions import SecurityWarning

from models.logs import configure_logs
from models.settings import settings
from worker.app import app


def work(queues: str) -> None:
    """Work on some queues, comma-separated, until SIGTERM. The first of them names the worker."""
    # Celery warns whoever runs it as root of pickled messages; ours are JSON, and nothing else is accepted.
    warnings.simplefilter("ignore", SecurityWarning)
    configure_logs()  # Celery asks for its logs only after the checks were warmed
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--queues={queues}",
            f"--hostname=worker-{queues.partition(',')[0]}@%h",
            f"--concurrency={settings().screeners}",
            "--pool=threads",
            f"--loglevel={settings().log_level}",
            # Workers keep no company here: nobody asks Celery who is there, heartbeats are rows in the database.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
