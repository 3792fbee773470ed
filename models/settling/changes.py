"""The values that go into `settle()` and come out of it: a change of a comment, and its outcome."""

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
    """The result of a screening, without its verdict. `again` is when the comment is due for
    another screening.
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
    """A decision about a comment that has yet to be applied.

    A screening applies only if its `number` is the comment's next one. A decision with a `version`
    applies only while the comment has that version. Without a verdict, the screening is
    recorded and the comment stays pending. Changes with the same `batch` were made together and are
    undone together.

    `blind` asks a human to review the comment without seeing what the policy decided. `share` is
    the share of comments in this blind sample. `checks` are those whose findings hold or
    reject the comment. `teaches`, `rule` and `answer` are as in `DecisionRecord`.

    `edit` is the edit whose text a screening judged, or whose decision an undo takes back. A
    human's decision concerns the edit that waits for one, unless it is about the `whole` comment.
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
    share: float | None = None
    teaches: bool | None = None
    checks: Sequence[str] = ()
    rule: str | None = None
    answer: str = ""
    edit: str | None = None
    whole: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The reasons as the decision log shows them; `reason` is a word of the API."""
        if self.reason and not self.reasons:
            return (self.reason.replace("_", " "),)
        return self.reasons


class Settled(NamedTuple):
    """The outcome of a change: the recorded decision, and whether the published page changes."""

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
