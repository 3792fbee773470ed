"""Whether a part is down, and what that means for comments. The parts are checked at most every few
seconds, and never twice at the same time.
"""

from __future__ import annotations

import threading
import time

from service.operations.health import parts_down

FRESH_SECONDS = 10.0
MEANS = {
    "broker": (
        "The message queue is not responding. Comments are still accepted and checked, but more "
        "slowly."
    ),
    "workers": (
        "No worker is running. Comments are accepted, but not checked or published until a "
        "worker is back."
    ),
    "storage": (
        "The storage for published pages is not responding. Decisions are saved and appear "
        "when it is back."
    ),
    "model": "The spam model is missing. Comments that it would score are held for you.",
}

_lock = threading.Lock()
_last: tuple[float, str] = (0.0, "")


def current() -> str:
    """Return a sentence, or an empty text if all is well. While one thread checks, the others get
    the last result.
    """
    global _last  # noqa: PLW0603 — one per process
    if time.monotonic() - _last[0] > FRESH_SECONDS and _lock.acquire(blocking=False):
        try:
            _last = (time.monotonic(), _last[1])
            threading.Thread(target=_find_out, name="alarm", daemon=True).start()
        finally:
            _lock.release()
    return _last[1]


def _find_out() -> None:
    global _last  # noqa: PLW0603
    down = parts_down()
    if "workers" in down:
        down.discard("broker")  # the broker is the smaller problem of the two
    _last = (time.monotonic(), " ".join(MEANS[part] for part in MEANS if part in down))
