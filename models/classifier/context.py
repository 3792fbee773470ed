"""The counts that a site's own model reads in addition to the comment's text. Other checks produce
them.

A screening stores its counts with its evidence. A model learns from what was known at that moment,
not from later knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p

import numpy as np
from numpy.typing import NDArray

# The key that says that counts were taken. A count that is missing beside it is 0, not unknown.
TAKEN = "context"
EDITION = 2  # the value under TAKEN: which counts existed when they were taken
UNKNOWN = -1
COUNTS = (
    "hosts new here",
    "hosts approved here",
    "hosts rejected here",
    "links away",
    "links to this page",
    "links to this site",
    "the same before",
    "nearly the same before",
    "author approved",
    "author rejected",
    "seconds to write",
    "no form token",
    "digits in the name",
    "the name is an address",
    "the name in capitals",
    "gives a website",
    "the website in the text",
    "a free mailbox",
    "digits in the mailbox",
)
_SINCE = {"links to this page": 2}  # the first edition that has the count; the default is 1
COLUMNS = 2 * len(COUNTS)  # a value for each count, then a flag for each: "this is unknown"
_MOST = 1000  # higher counts (seconds, rejections) are no stronger evidence


def columns(contexts: Sequence[Mapping[str, int]]) -> NDArray[np.float32]:
    """Return one row per comment, `COLUMNS` wide, every value in 0–1."""
    rows = [_row(context) for context in contexts]
    return np.array(rows, np.float32).reshape(len(contexts), COLUMNS)


def _row(context: Mapping[str, int]) -> list[float]:
    counts = [_count(context, name) for name in COUNTS]
    values = [log1p(min(max(count, 0), _MOST)) / log1p(_MOST) for count in counts]
    unknown = [float(count == UNKNOWN) for count in counts]
    return values + unknown


def _count(context: Mapping[str, int], name: str) -> int:
    edition = context.get(TAKEN, 0)
    if edition < _SINCE.get(name, 1):
        return UNKNOWN
    return context.get(name, 0)
