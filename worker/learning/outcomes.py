"""One training of a score, and what becomes of the model that it made."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from models.classifier.site_card import Traffic
from models.classifier.training.base_model import Flags
from models.classifier.training.site_model import Comparison, SiteTrained
from models.records import SiteModelRecord
from models.records.site_score import Held
from models.settling.labels import Decided
from worker.learning.champions import Champion
from worker.learning.claims import Claim

BASE = "base"
ENOUGH_RANDOM = 100  # random labels; with fewer, a new model must also pass the traffic check


class Fate(Enum):
    """Whether the new model goes live, waits beside the live one, or the base model takes over."""

    LIVE = "live"
    CANDIDATE = "candidate"
    BASE = "base"


class Training(NamedTuple):
    """One training: the model, what it learned from, and how it compares with the champion.

    `must_replace` says that the champion has seen a comment that was erased since.
    """

    score: str
    claimed: Claim
    champion: Champion
    trained: SiteTrained
    decided: Sequence[Decided]
    result: Comparison
    must_replace: bool
    traffic: Traffic | None = None

    @property
    def fate(self) -> Fate:
        if self.passes_traffic and (self.must_replace or self.result.challenger_wins):
            return Fate.LIVE
        return Fate.BASE if self.must_replace or self.champion.is_unfit else Fate.CANDIDATE

    @property
    def passes_traffic(self) -> bool:
        """Whether the comments that went live speak against the model. With enough random labels,
        the comparison says more than they do.
        """
        return self.random >= ENOUGH_RANDOM or self.traffic is None or self.traffic["passed"]

    @property
    def random(self) -> int:
        """How many of the labels were drawn at random."""
        return sum(each.is_random for each in self.decided)

    @property
    def bad(self) -> Flags:
        """Which of the decided comments teach the score that they are bad."""
        return np.array([each.lessons[self.score] for each in self.decided], bool)


class Outcome(NamedTuple):
    """What a training came to. `champion` is the id of the model that was live meanwhile."""

    score: str
    champion: str | None
    fate: Fate
    why: str
    record: SiteModelRecord | None = None
    announced: Held | None = None
