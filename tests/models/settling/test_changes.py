"""A change explains its reasons in words."""

from __future__ import annotations

import pytest

from models.judgement.policy import Verdict
from models.settling.changes import STATUS, VERDICT, Change


@pytest.mark.parametrize(
    ("reasons", "reason", "words"),
    [
        ((), None, ()),
        ((), "off_topic", ("off topic",)),
        (("3 links; the limit is 2",), None, ("3 links; the limit is 2",)),
        (("undid the decision to reject",), "spam", ("undid the decision to reject",)),
    ],
)
def test_a_moderators_reason_is_in_words_unless_there_are_others(
    reasons: tuple[str, ...], reason: str | None, words: tuple[str, ...]
) -> None:
    assert Change("c", Verdict.REJECT, reasons, reason=reason).words == words


def test_every_verdict_has_a_status_and_back() -> None:
    assert {VERDICT[STATUS[verdict]] for verdict in Verdict} == set(Verdict)
