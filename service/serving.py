"""The web process: Granian around `service.wsgi:app`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from models.settings import settings
from service.listening import until_free
from worker.lifeline import watch_up

KILL_SECONDS = 3  # Granian's worker was seen to ignore SIGTERM after load; `up` gives the whole of it five seconds
CONNECTIONS = (
    1024  # Granian counts open connections here, idle ones too: a small number would let quiet browsers shut the door
)
RELEASE_SECONDS = 2.0  # a killed predecessor's socket takes a moment to close


def serve() -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises `listening.PortTaken`."""
    watch_up()
    until_free(settings().host, settings().port, seconds=RELEASE_SECONDS)
    Server(
        "service.wsgi:app",
        address=settings().host,
        port=settings().port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings().web_threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        workers_kill_timeout=KILL_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_access=False,
    ).serve(target_loader=application, wrap_loader=False)


def application() -> Callable[..., Any]:
    """The WSGI application, loaded in Granian's worker alone: its main process stays small."""
    # structlog loads these where they happen to be, though this process writes JSON, from threads alone: 5 MB.
    for unwanted in ("rich", "greenlet"):
        sys.modules.setdefault(unwanted, None)  # type: ignore[arg-type]
    from service.wsgi import app  # noqa: PLC0415

    return app
