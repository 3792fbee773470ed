"""A limit on the CPU time of one piece of work: the kernel ends the process that exceeds it.

A Python thread cannot watch this, because a regular expression or other C code may hold the
interpreter's lock all the time. Linux has timers on the CPU clock of one thread, so waiting for the
database or the network does not count, and neither do other threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

SIGNAL = (
    signal.SIGVTALRM
)  # its default action ends the process, and nothing in Python or Celery changes this
_CLOCK_THREAD_CPUTIME_ID = 3
_made = threading.local()


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class _SigEvent(ctypes.Structure):
    """`notify` 0 is SIGEV_SIGNAL: send `number` to the process."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("number", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("_", ctypes.c_char * 48),
    )


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """End this process if the block uses more CPU time than this in the calling thread."""
    _set(seconds)
    try:
        yield
    finally:
        _set(0)


def _set(seconds: float) -> None:
    """Start this thread's timer, or stop it with 0."""
    timer, libc = _timer(), _libc()
    if timer is None or libc is None:
        # Without timers per thread, use the CPU time of the whole process. Other threads work, too,
        # so be generous.
        signal.setitimer(signal.ITIMER_VIRTUAL, 4 * seconds)
        return
    whole = int(seconds)
    spec = _TimerSpec(_TimeSpec(0, 0), _TimeSpec(whole, int((seconds - whole) * 1e9)))
    if libc.timer_settime(timer, 0, ctypes.byref(spec), None):
        raise OSError(ctypes.get_errno(), "timer_settime")


def _timer() -> ctypes.c_void_p | None:
    """The timer of this thread. A forked process inherits none."""
    if getattr(_made, "pid", None) != os.getpid():
        _made.pid, _made.timer = os.getpid(), _new_timer()
    timer: ctypes.c_void_p | None = _made.timer
    return timer


def _new_timer() -> ctypes.c_void_p | None:
    if (libc := _libc()) is None:
        return None
    timer, event = ctypes.c_void_p(), _SigEvent(None, SIGNAL, 0, b"")
    if libc.timer_create(_CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)):
        return None
    return timer


@cache
def _libc() -> ctypes.CDLL | None:
    """The library with `timer_create`: the C library itself, or librt before glibc 2.34. None if
    there is none.
    """
    for name in (None, "librt.so.1"):
        try:
            library = ctypes.CDLL(name, use_errno=True)
            library.timer_create  # noqa: B018 - asks whether it is there
        except (OSError, AttributeError):
            continue
        return library
    return None
