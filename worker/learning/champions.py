"""The model that is live while a new one is trained to replace it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from models.classifier.model import Floats, LinearModel, UnusableModel, probability
from models.classifier.site_model import Seen, SiteModel
from models.judgement.promises import Scores
from models.records import SiteModelRecord


class Champion(NamedTuple):
    """The site's own model, or the base model: then `model` is None and `seen` is empty.

    `seen` are the comments that it learned from, `scores` what promises are fitted to. A model that
    `is_unfit` was made for another base model or another release. It cannot compete, but its `seen`
    still counts.
    """

    model: SiteModel | None
    version: str
    seen: frozenset[str]
    is_unfit: bool = False
    scores: Scores | None = None

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it learned beside those of the base model."""
        return self.model.languages if self.model else frozenset()

    def probabilities(self, seen: Sequence[Seen], languages: Sequence[str]) -> Floats:
        """Return the probability that the site's moderators reject each comment."""
        return probabilities(self.model, seen, languages)


def probabilities(
    model: SiteModel | None, seen: Sequence[Seen], languages: Sequence[str]
) -> Floats:
    """Return the probability for each comment by the site's own model, or by the base model in the
    languages that the site's model did not learn.
    """
    found = probability(np.array([comment.base or 0.0 for comment in seen], float))
    if model is None:
        return found
    own = [at for at, language in enumerate(languages) if model.judges(language)]
    found[own] = model.probabilities([seen[at] for at in own])
    return found


def find_champion(session: Session, model_id: str | None, base: LinearModel) -> Champion:
    """Return the model of that id, or the base model for None."""
    record = session.get(SiteModelRecord, model_id) if model_id else None
    if record is None:
        return Champion(None, base.version, frozenset())
    seen = frozenset(record.seen)
    try:
        model = SiteModel.unpacked(record.weights)
    except UnusableModel:
        return Champion(None, record.version, seen, is_unfit=True)
    if model.base != base.version:
        return Champion(None, record.version, seen, is_unfit=True)
    return Champion(model, record.version, seen, scores=Scores.of(record.scores))
