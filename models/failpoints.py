"""Points at which a test can kill this process, right after a commit or right before a message is
sent.

`GREENROOM_FAILPOINT=name[:count]` kills the process, as `kill -9` would, when it reaches that point
for the count-th time. `GREENROOM_POISON=1` lets a comment's own words break its screening: "poison:
burn" and the others below.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterable
from itertools import count

STATUS = 70
_name, _, _times = os.environ.get("GREENROOM_FAILPOINT", "").partition(":")
_passed = count(1)
_poisonous = os.environ.get("GREENROOM_POISON") == "1"


def failpoint(name: str) -> None:
    if _name and name == _name and next(_passed) >= int(_times or 1):
        os._exit(STATUS)


def poison(texts: Iterable[str]) -> None:
    if _poisonous:
        for text in texts:
            for kind, work in _POISONS.items():
                if f"poison: {kind}" in text:
                    work()


def _burn() -> None:
    while True:
        pass


def _hold() -> None:
    """Keep the interpreter's lock, so that no other thread runs. The standard library's regular
    expressions do that.
    """
    re.match(r"(a+)+$", "a" * 60 + "b")


def _eat() -> None:
    held = []
    while True:
        held.append(b"x" * 2**24)


_POISONS: dict[str, Callable[[], object]] = {
    "burn": _burn,
    "hold": _hold,
    "eat": _eat,
    "exit": lambda: os._exit(STATUS),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "sleep": lambda: time.sleep(3600),
}
