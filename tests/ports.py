"""Ports for servers that tests start."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the ports that the system gives to outgoing connections (on Linux from 32768) and below
# those of the embedded Valkey (service/up/valkey.py). So no other program takes one between our
# search and the start of its server.
PORTS = range(10_000, 20_000)
CLAIMS = Path(tempfile.gettempdir()) / f"greenroom-test-ports-{os.getuid()}"


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, and that no other test process gets
    while this one lives.
    """
    CLAIMS.mkdir(mode=0o700, exist_ok=True)
    return next(
        port for port in random.sample(PORTS, len(PORTS)) if _is_claimed(port) and _is_free(port)
    )


def _is_claimed(port: int) -> bool:
    """Claim a port with a lock on a file. The lock ends with this process, however it ends."""
    claim = os.open(CLAIMS / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
