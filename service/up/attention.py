"""Signals to `up`: recorded at once and handled when there is time, so that nothing is interrupted
halfway.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Attention:
    """`ended` becomes true at the first signal to end; later ones are received and change
    nothing.
    """

    def __init__(self) -> None:
        self.ended = False
        self._ear, mouth = socket.socketpair()
        self._ear.setblocking(False)
        mouth.setblocking(False)
        self._mouth = mouth  # referenced here, or it would be closed
        signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            if (
                number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
            ):  # nohup asked to ignore it
                signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a default action would not wake us

    def _end(self, *_: object) -> None:
        self.ended = True

    def ignore(self) -> None:
        """Ignore all further signals: one that arrives while this process is ending must not change
        how it ends.
        """
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def wait(self, seconds: float) -> None:
        """Sleep, at most until the next signal, which includes a child's death."""
        select.select([self._ear], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)
