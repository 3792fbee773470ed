"""How often the automatic decisions are wrong on a site, measured on those that humans judged
without seeing them.

The sample has the same share of approvals, flags and rejections, so the rates hold for all comments
of the site.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.promises import Interval, interval
from models.records import DecisionRecord, Review
from models.settling.history import BY_A_HUMAN
from models.settling.sampling import IN_THE_SAMPLE

GOOD, BAD = "approve", "reject"


class ErrorRates(NamedTuple):
    """Each rate with its numbers and its exact 95 % interval; "held" means flagged or rejected."""

    judged: int
    good_held_back: Interval
    bad_let_through: Interval
    approvals_wrong: Interval
    rejections_wrong: Interval
    flags_needless: Interval


def error_rates(session: Session, site_id: int) -> ErrorRates:
    """Return the rates from every blind review that a human closed."""
    counts = _judged(session, site_id)
    good = sum(count for (_, verdict), count in counts.items() if verdict == GOOD)
    bad = sum(count for (_, verdict), count in counts.items() if verdict == BAD)
    return ErrorRates(
        judged=good + bad,
        good_held_back=interval(good - counts["approved", GOOD], good),
        bad_let_through=interval(counts["approved", BAD], bad),
        approvals_wrong=_wrong(counts, "approved", BAD),
        rejections_wrong=_wrong(counts, "rejected", GOOD),
        flags_needless=_wrong(counts, "flagged", GOOD),
    )


def _judged(session: Session, site_id: int) -> Counter[tuple[str, str]]:
    """Count how often each status met each human verdict that says good or bad. An erasure says
    neither.
    """
    rows = select(DecisionRecord.was, DecisionRecord.verdict)
    rows = rows.join(Review, Review.closed_by == DecisionRecord.id)
    rows = rows.where(Review.site_id == site_id, IN_THE_SAMPLE, BY_A_HUMAN)
    rows = rows.where(DecisionRecord.verdict.in_((GOOD, BAD)), DecisionRecord.becomes != "deleted")
    return Counter((was, verdict) for was, verdict in session.execute(rows))


def _wrong(counts: Counter[tuple[str, str]], was: str, verdict: str) -> Interval:
    return interval(counts[was, verdict], counts[was, GOOD] + counts[was, BAD])
