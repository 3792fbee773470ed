"""Screening: load a batch, run every check, decide, settle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence


def examine(batch: Sequence[Candidate], now: datetime) -> list[list[Evidence]]:
    """Return all evidence on each comment, in the order of the batch.

    A check that fails leaves evidence that says so; it never raises here.
    """
    # Load the checks with their numpy, RE2 and DNS only in a process that screens.
    from worker.screening import examination  # noqa: PLC0415

    return examination.examine(batch, now)
