"""The web process: Granian around the gate (`service/gate/`), which is around Flask."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from models.garbage import collect_often
from models.settings import settings
from service.http.listening import until_free
from worker.lifeline import Pulse, watch_up

# Granian's worker sometimes ignored SIGTERM after load; `up` gives the whole part five seconds.
KILL_SECONDS = 3
# seconds for a request's head to arrive, and for a connection without a request
HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024  # bytes buffered of a connection's head, or of its body before it is read
# Granian counts open connections here, including idle ones. With a small number, quiet browsers
# would block others.
CONNECTIONS, OWN_FILES = 4096, 128
WAITING = 1024  # connections that the system queues until Granian accepts them
RELEASE_SECONDS = 2.0  # a killed predecessor's socket takes a moment to close


def serve() -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises `listening.PortTaken`."""
    watch_up()
    until_free(settings().host, settings().port, seconds=RELEASE_SECONDS)
    Server(
        "service.gate",
        address=settings().host,
        port=settings().port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,  # HTTP/2 has no deadline for heads; a proxy in front may speak it
        http1_settings=HTTP1Settings(
            header_read_timeout=round(HEAD_SECONDS * 1000), max_buffer_size=HEAD_BYTES
        ),
        websockets=False,
        workers=1,
        backlog=WAITING,
        backpressure=_connections(),
        workers_kill_timeout=KILL_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_access=False,
    ).serve(target_loader=application, wrap_loader=False)


def application() -> Callable[..., Any]:
    """Load the application only in Granian's worker, so that its main process stays small."""
    Pulse("answering").start()
    # structlog loads these if they are installed, although this process writes only JSON, and only
    # from threads: 5 MB.
    for unwanted in ("rich", "greenlet"):
        sys.modules.setdefault(unwanted, None)  # type: ignore[arg-type]
    from service.gate.app import Gate  # noqa: PLC0415
    from service.wsgi import app  # noqa: PLC0415

    collect_often()
    return Gate(app)


def _connections() -> int:
    """Return how many connections may be open. Each is a file, so this is the process's limit of
    open files, minus a few.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        CONNECTIONS
        if soft == resource.RLIM_INFINITY
        else max(1, min(CONNECTIONS, soft - OWN_FILES))
    )
