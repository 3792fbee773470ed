"""The web process: Granian around `service.wsgi:app`."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from models.settings import settings
from worker.lifeline import watch_up

KILL_SECONDS = 3  # Granian's worker was seen to ignore SIGTERM after load; `up` gives the whole of it five seconds
CONNECTIONS = (
    1024  # Granian counts open connections here, idle ones too: a small number would let quiet browsers shut the door
)
RELEASE_SECONDS = 2.0  # a killed predecessor's socket takes a moment to close


class PortTaken(Exception):
    """The address can't be listened on; its words say why and what to do."""


def serve() -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises PortTaken."""
    watch_up()
    host, port = settings().host, settings().port
    until_free(host, port, seconds=RELEASE_SECONDS)
    Server(
        "service.wsgi:app",
        address=host,
        port=port,
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
    """The WSGI application, loaded in Granian's worker alone: its main process stays small, and forks no threads of ours."""
    from service.wsgi import app

    return app


def until_free(host: str, port: int, seconds: float = 0) -> None:
    """Return when the address can be listened on. Raises PortTaken when it can't for so long.

    Looked at beforehand, since Granian shares a port with whoever listens on it already, and each would get half the requests.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise PortTaken(_words(host, port, error)) from None
        time.sleep(0.1)


def _listen(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _words(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: choose another with --port or GREENROOM_PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that this user has not: choose one from 1024 with --port or GREENROOM_PORT."
    return f"Can't listen on {host}, port {port}: {os.strerror(error.errno) if error.errno else error}."
