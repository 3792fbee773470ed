"""One file a check: each looks at a batch of comments and leaves one piece of evidence on each. No
check decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence


def examine(batch: Sequence[Candidate], now: datetime) -> list[list[Evidence]]:
    """All evidence on each comment, in the same order as the batch. Never raises because a check
    did.
    """
    # numpy, RE2 and DNS load where comments are screened only
    from worker.checks import examination  # noqa: PLC0415

    return examination.examine(batch, now)
