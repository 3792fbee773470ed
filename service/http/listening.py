"""The address that the web process listens on: whether it is free, and how it is written."""

from __future__ import annotations

import errno
import os
import socket
import time

from models.settings import settings

# The address to connect to if the process listens on all addresses.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


class PortTaken(Exception):
    """Raised if the address can't be listened on; the message says why and what to do."""


def near_address() -> str:
    """Return `host:port` for reaching the service from this machine."""
    host = settings().host
    return f"{EVERYWHERE.get(host) or (f'[{host}]' if ':' in host else host)}:{settings().port}"


def public_url() -> str:
    """Return the public address of the service, as far as this machine knows it."""
    return settings().public_url or f"http://{near_address()}"


def any_port(host: str) -> int:
    """Return a port that is free now."""
    with _listening(host, 0) as probe:
        return int(probe.getsockname()[1])


def until_free(host: str, port: int, seconds: float = 0) -> None:
    """Return when the address can be listened on. Raises PortTaken if it can't within this time.

    Granian itself would share the port with another program that allows sharing, and each would get
    half the requests. So this checks first.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _listening(host, port).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise PortTaken(_words(host, port, error)) from None
        time.sleep(0.1)


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    probe = socket.socket(family, kind, protocol)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)
    except OSError:
        probe.close()
        raise
    return probe


def _words(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is already in use: choose another with --port or "
            "GREENROOM_PORT."
        )
    if error.errno == errno.EACCES:
        return (
            f"This user may not use port {port}: choose port 1024 or higher with --port or "
            "GREENROOM_PORT."
        )
    words = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    return f"Can't listen on {host}, port {port}: {words}."
