"""What is known of a comment beside its text, as a site's own model sees it: counts taken when it
was screened.

They are kept with the evidence, so a model learns from what was known then, not from what came out
later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p

import numpy as np
from numpy.typing import NDArray

# stands beside the counts where they were taken at all: what is not named then is none
TAKEN = "context"
EDITION = 2  # its value: which of the counts were known of at that time
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
_SINCE = {"links to this page": 2}  # the edition that first counted it; all others are of the first
COLUMNS = 2 * len(COUNTS)  # each with a second one that says it is unknown
_MOST = 1000  # seconds or rejections: more say no more


def columns(contexts: Sequence[Mapping[str, int]]) -> NDArray[np.float32]:
    """One row a comment, `COLUMNS` wide, every value in 0–1."""
    return np.array([_row(context) for context in contexts], np.float32).reshape(
        len(contexts), COLUMNS
    )


def _row(context: Mapping[str, int]) -> list[float]:
    """What is unknown is not the same as none, so it has a column of its own."""
    edition = context.get(TAKEN, 0)
    counts = [
        context.get(name, 0) if edition >= _SINCE.get(name, 1) else UNKNOWN for name in COUNTS
    ]
    values = [log1p(min(max(count, 0), _MOST)) / log1p(_MOST) for count in counts]
    return [*values, *(float(count == UNKNOWN) for count in counts)]
