"""What a check found out about a comment: facts and words, but no verdict. That is the policy's."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Outcome(StrEnum):
    CLEAR = "clear"  # looked, and found nothing against the comment
    FOUND = "found"  # found something that may count against it
    ABSTAINED = "abstained"  # cannot judge this comment (a language the model has not seen)
    UNAVAILABLE = "unavailable"  # could not run; screened again later


class Evidence(BaseModel):
    """One check's finding on one comment.

    `score` is the check's main number where it has one: for `spam` the probability in 0–1 by the model that `version`
    names, for `links` how many there are. `found` holds each kind of finding with its sentence ("disposable":
    "mailinator.com hands out throw-away addresses"), `counts` the numbers a policy compares. `ms` is wall-clock
    milliseconds, a batch's time shared out evenly. `campaign` is, for `repeats`, the first comment that said nearly the
    same: all that share it are one campaign.
    """

    model_config = ConfigDict(frozen=True)

    check: str
    outcome: Outcome
    detail: str
    score: float | None = None
    found: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    campaign: str | None = None
    ms: float = 0.0
    version: str = "1"
