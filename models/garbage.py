"""How often Python looks for garbage. Importing Greenroom's modules makes hundreds of thousands of
objects that stay, and looking through them again and again took an eighth of a process's start.
"""

from __future__ import annotations

import gc

SELDOM = 50_000  # new objects before the next look; Python's default is 700
OFTEN = gc.get_threshold()


def collect_seldom() -> None:
    """Call this before the imports of a process."""
    gc.set_threshold(SELDOM)


def collect_often() -> None:
    """Call this when a process that runs for long has imported everything, so that it stays small.
    What exists now stays for good, and later collections skip it.
    """
    gc.set_threshold(*OFTEN)
    gc.freeze()
