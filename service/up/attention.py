"""What the outside asks of `up`: noted, and looked at when there is time, so that nothing is
interrupted half-way.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Attention:
    """`ended` turns true at the first signal to end; every later one is heard and
    changes nothing.
    """

    def __init__(self) -> None:
        self.ended = False
        self._ear, mouth = socket.socketpair()
        self._ear.setblocking(False)
        mouth.setblocking(False)
        self._mouth = mouth  # kept, or it would be closed
        signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            if (
                number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
            ):  # nohup said not to
                signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a default action would not wake us

    def _end(self, *_: object) -> None:
        self.ended = True

    def ignore(self) -> None:
        """Hear nothing any more: a signal that comes while this process already ends must not
        change how.
        """
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until the next signal, a child's death included."""
        select.select([self._ear], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)
