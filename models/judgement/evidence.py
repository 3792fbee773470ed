"""What a check found out about a comment: facts and sentences, but no verdict. The policy
decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NotRequired, TypedDict

# Every check, in the order in which evidence is listed.
CHECKS = (
    "email",
    "spam",
    "abuse",
    "links",
    "hosts",
    "words",
    "disguise",
    "repeats",
    "pace",
    "author",
    "blocks",
    "page",
    "form",
    "language",
)
# Takes the place of a check in the evidence of a comment that could not be screened at all.
SCREENING = "screening"

# Found by the spam check: a score in a language of which the model learned only a little.
LITTLE_KNOWN = "little_known"
# Found by the language check: a moderator reads every comment in this language first.
READ_FIRST = "read_first"
# Found by the author check: the name is another person's.
RESERVED_NAME = "reserved_name"

# Found by a check that read only a part of the comment, because the whole would have taken too
# long. Nobody writes so much into 10,000 characters by accident, so a human looks at it, whatever
# the policy says.
UNREAD = "unread"


class Outcome(StrEnum):
    CLEAR = "clear"  # cannot judge this comment (say, an unknown language)
    FOUND = "found"  # found something that may count against it
    ABSTAINED = "abstained"  # cannot judge this comment (a language the model has not seen)
    UNAVAILABLE = "unavailable"  # could not run; screened again later


@dataclass(frozen=True, slots=True)
class Evidence:
    """One check's finding on one comment. Every comment gets one from each check, so this is a
    plain class and not a pydantic model.

    - `score` is the check's main number, if it has one: for `spam` and `abuse` the probability in
      0–1 by the model that `version` names, for `links` their number.
    - `found` maps each kind of finding to its sentence ("disposable": "mailinator.com hands out
      throw-away addresses"). `counts` are the numbers that a policy compares.
    - `ms` is wall-clock milliseconds; a batch's time is divided equally.
    - `campaign` (check `repeats`) is the first comment that said nearly the same. Comments that
      share it form one campaign.
    - `rule` (check `blocks`) is who made the block or the "decide like this" rule, in the form of
      the decision log.
    """

    check: str
    outcome: Outcome
    detail: str
    score: float | None = None
    found: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    campaign: str | None = None
    rule: str | None = None
    ms: float = 0.0
    version: str = "1"


class StoredEvidence(TypedDict):
    """Evidence as a screening stores it. Another release may have stored fewer or more fields."""

    check: str
    outcome: str
    detail: str
    score: NotRequired[float | None]
    found: NotRequired[dict[str, str]]
    counts: NotRequired[dict[str, int]]
    campaign: NotRequired[str | None]
    rule: NotRequired[str | None]
    ms: NotRequired[float]
    version: NotRequired[str]


def from_stored(stored: StoredEvidence) -> Evidence:
    """Read evidence that this or another release of Greenroom stored."""
    return Evidence(
        check=stored["check"],
        outcome=Outcome(stored["outcome"]),
        detail=stored["detail"],
        score=stored.get("score"),
        found=stored.get("found", {}),
        counts=stored.get("counts", {}),
        campaign=stored.get("campaign"),
        rule=stored.get("rule"),
        ms=stored.get("ms", 0.0),
        version=stored.get("version", "1"),
    )


def refused_of_page(evidence: Iterable[Evidence]) -> frozenset[str]:
    """Return which of "title" and "address" a thread must not take from a comment with this
    evidence.
    """
    item = next((each for each in evidence if each.check == "page"), None)
    if item is None:
        return frozenset()
    if item.outcome is Outcome.UNAVAILABLE:
        return frozenset({"title", "address"})
    return frozenset(item.counts)
