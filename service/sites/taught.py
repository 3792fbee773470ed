"""What the labels of a site's moderators brought: each model's held-out figures, and whether more
labels are likely to help.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import SiteModelRecord

ENOUGH = 3  # models in a row that were no better than the best one before
_LITTLE = 0.01  # a smaller gain is not worth another session


class Stage(NamedTuple):
    """A model: how many labels it learned from, which share of what moderators rejected it would
    have held, and which share of what they approved. Each label was judged by a model that had not
    seen it.
    """

    labels: int
    found: float
    held: float

    @property
    def worth(self) -> float:
        """What holding by this model is better than holding at random."""
        return self.found - self.held


class Taught(NamedTuple):
    """The models of one score, the oldest first."""

    score: str
    stages: list[Stage]

    @property
    def is_enough(self) -> bool:
        """Whether the last models were no better than the best one before them."""
        earlier, latest = self.stages[:-ENOUGH], self.stages[-ENOUGH:]
        if not earlier:
            return False
        best = max(stage.worth for stage in earlier)
        return all(stage.worth <= best + _LITTLE for stage in latest)


def taught(session: Session, site_id: int) -> list[Taught]:
    """Return what each score learned on this site, without scores that learned nothing yet."""
    columns = SiteModelRecord.score, SiteModelRecord.card
    rows = select(*columns).where(SiteModelRecord.site_id == site_id)
    by_score: dict[str, list[Stage]] = {}
    for score, card in session.execute(rows.order_by(SiteModelRecord.id)):
        decisions, figures = card["decisions"], card["figures"]
        labels = decisions["rejected"] + decisions["approved"]
        stage = Stage(labels, figures["rejected found"], figures["approved held"])
        by_score.setdefault(score, []).append(stage)
    return [Taught(score, stages) for score, stages in sorted(by_score.items(), reverse=True)]
