"""What is to be decided about a comment, and what came of it: the values that go into `settle()`
and come out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from models.judgement.evidence import Evidence
from models.judgement.policy import Verdict
from models.settling.actor import POLICY, Actor
from models.settling.rows import FingerprintRow, LinkedHostRow

STATUS = {Verdict.APPROVE: "approved", Verdict.FLAG: "flagged", Verdict.REJECT: "rejected"}
VERDICT = {status: verdict for verdict, status in STATUS.items()}


class Screened(NamedTuple):
    """What a screening leaves behind beside its verdict. `again` is when the comment is owed
    another one.
    """

    number: int
    evidence: Sequence[Evidence]
    policy_version: int
    language: str
    fingerprints: Sequence[FingerprintRow] = ()
    hosts: Sequence[LinkedHostRow] = ()
    again: datetime | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A decision on its way in.

    A screening's counts only while its number is the comment's next; a moderator's only while the
    comment has `version`, if one is given. Without a verdict the screening is recorded and the
    comment goes on waiting. `blind`: a human is to look, and not to be told what the policy
    decided. Changes that were made as one, and are to be undone as one, carry the same `batch`.
    """

    comment_id: str
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()
    by: Actor = POLICY
    screened: Screened | None = None
    version: int | None = None
    reason: str | None = None
    note: str = ""
    undoes: str | None = None
    becomes: str | None = None
    reopens: Collection[str] = field(default=())
    batch: str | None = None
    blind: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The reasons as the decision log shows them; `reason` is a word of the API."""
        if self.reason and not self.reasons:
            return (self.reason.replace("_", " "),)
        return self.reasons


class Settled(NamedTuple):
    """What came of a change: the decision as recorded, and whether the published page
    is affected.
    """

    decision_id: str | None
    comment_id: str
    thread_id: int
    status: str
    version: int
    is_new: bool
    touches_page: bool
    site: str
    ms: int  # since the comment was accepted
    owed: tuple[str, ...] = ()  # endpoints that are to hear of it at once
