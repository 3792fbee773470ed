"""Find the socket that Granian listens on among this process's open files, because Granian does not
provide it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

OPEN_FILES = Path("/proc/self/fd")


def give_up_on_silent_readers(port: int, seconds: float) -> bool:
    """Let the system close a connection whose client does not read its answer for this time. Return
    True once this is set.

    Granian waits for such a client forever. Linux copies the option to each accepted connection;
    other systems do not get it.
    """
    if not sys.platform.startswith("linux"):
        return True
    done = False
    for entry in OPEN_FILES.iterdir():
        with contextlib.suppress(OSError):
            done = _set(int(entry.name), port, seconds) or done
    return done


def _set(descriptor: int, port: int, seconds: float) -> bool:
    with socket.socket(fileno=os.dup(descriptor)) as held:
        listens = held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if (
            not listens
            or held.family not in {socket.AF_INET, socket.AF_INET6}
            or held.getsockname()[1] != port
        ):
            return False
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
        return True
