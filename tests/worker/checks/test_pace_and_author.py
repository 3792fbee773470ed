"""What the records know of an author and an address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.store.database import reading
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import author, pace

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_a_single_comment_is_one_in_the_minute_and_one_in_the_hour(kept: Comes) -> None:
    evidence = _pace(kept())
    assert (evidence.outcome, evidence.counts) == (Outcome.CLEAR, {"minute": 1, "hour": 1})


def test_the_author_or_the_address_counts_whichever_was_quicker(kept: Comes) -> None:
    for n in range(1, 4):
        kept(at=NOON - n * SECOND, email_index=f"another{n}")  # the same address, other emails
    kept(at=NOON - 30 * MINUTE, address="elsewhere")  # the same email
    evidence = _pace(kept())
    assert evidence.counts == {"minute": 4, "hour": 4}
    assert evidence.detail == (
        "4 in the last minute and 4 in the last hour from this author or address, this one included"
    )


@pytest.mark.parametrize(
    ("earlier", "minute", "hour"),
    [
        ({"at": NOON - 59 * SECOND}, 2, 2),
        ({"at": NOON - 61 * SECOND}, 1, 2),
        ({"at": NOON - HOUR - SECOND}, 1, 1),
        ({"at": NOON + SECOND}, 1, 1),  # only came later
        ({"at": NOON, "site_id": 2}, 1, 1),  # another site
    ],
)
def test_what_counts_into_the_pace(
    kept: Comes, earlier: dict[str, object], minute: int, hour: int
) -> None:
    kept(**earlier)
    assert _pace(kept()).counts == {"minute": minute, "hour": hour}


def test_a_burst_in_one_batch_is_counted_one_by_one(kept: Comes) -> None:
    batch = [kept(at=NOON + n * SECOND) for n in range(7)]
    with reading() as session:
        found = pace.check(batch, session, NOON)
    assert [item.counts["minute"] for item in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [decide([item], Policy()).verdict for item in found][4:6] == [
        Verdict.APPROVE,
        Verdict.FLAG,
    ]


def test_who_has_no_hash_is_nobody_and_not_everybody(kept: Comes) -> None:
    for _ in range(3):
        kept(email_index="", address="")
    assert _pace(kept(email_index="", address="")).counts == {"minute": 1, "hour": 1}


def test_the_pace_is_not_counted_where_limits_are_off(
    kept: Comes, set_env: Callable[[str, str], None]
) -> None:
    set_env("GREENROOM_RATE_LIMITS", "off")
    evidence = _pace(kept())
    assert (evidence.detail, evidence.counts) == ("not counted: limits are off on this server", {})


def test_a_first_comment_is_called_one(kept: Comes) -> None:
    evidence = _author(kept())
    assert (evidence.outcome, evidence.detail) == (Outcome.CLEAR, "first comment from this address")


def test_a_good_record_is_shown_and_earns_nothing(kept: Comes) -> None:
    for n in range(7):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    kept(status="rejected", at=NOON - 72 * HOUR)
    evidence = _author(kept())
    assert (
        evidence.detail
        == "7 approved and 1 rejected under this address, which is unproven; seen since 2026-02-28"
    )
    assert evidence.counts == {"approved": 7, "rejected": 1, "flagged": 0}
    assert evidence.found == {"rejected": "1 earlier comment rejected under this address"}


def test_a_second_rejection_holds_back(kept: Comes) -> None:
    for n in range(2):
        kept(status="rejected", at=NOON - (n + 1) * HOUR)
    assert decide([_author(kept())], Policy()).reasons == (
        "2 earlier comments rejected under this address",
    )


@pytest.mark.parametrize(
    "other", [{"site_id": 2}, {"email_index": "bob"}, {"erased": True}, {"at": NOON + MINUTE}]
)
def test_what_does_not_belong_to_the_record(kept: Comes, other: dict[str, object]) -> None:
    kept(**{"status": "rejected", "at": NOON - HOUR, **other})
    assert _author(kept()).detail == "first comment from this address"


def test_looking_again_does_not_count_the_comment_itself(kept: Comes) -> None:
    assert _author(kept(status="rejected")).counts["rejected"] == 0


def test_of_a_long_record_only_the_newest_are_read(
    kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(author, "MOST", 3)
    monkeypatch.setattr(
        author, "_counting", author._counting.__wrapped__
    )  # statements are built once, with MOST in them
    for n in range(6):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    assert _author(kept()).counts["approved"] == 3


def _pace(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = pace.check([comment], session, NOON)
    return evidence


def _author(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = author.check([comment], session, NOON)
    return evidence
