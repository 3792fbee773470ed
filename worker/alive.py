"""`python -m worker.alive`: check whether this host's worker sent a heartbeat lately. A container's
health check.
"""

from __future__ import annotations

import socket
import sys
from datetime import timedelta

from sqlalchemy import select

from models.records import Heartbeat
from models.settings import settings
from models.store.database import now, reading

SILENT_SECONDS = 30  # it sends one with every sweep


def is_alive() -> bool:
    recent = now() - timedelta(seconds=max(SILENT_SECONDS, 3 * settings().sweep_seconds))
    ours = Heartbeat.name.endswith(
        f"@{socket.gethostname()}", autoescape=True
    )  # worker/working.py gives it this name
    with reading() as session:
        return (
            session.execute(select(Heartbeat.name).where(ours, Heartbeat.at > recent)).first()
            is not None
        )


if __name__ == "__main__":
    sys.exit(not is_alive())
