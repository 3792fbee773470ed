"""The author check reports what became of earlier comments under an email address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, decide
from models.store.database import reading
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import author

HOUR = timedelta(hours=1)


def test_a_first_comment_is_called_one(kept: Comes) -> None:
    evidence = _author(kept())
    assert (evidence.outcome, evidence.detail) == (
        Outcome.CLEAR,
        "first comment from this email address",
    )


def test_a_good_record_is_shown_and_earns_nothing(kept: Comes) -> None:
    for n in range(7):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    kept(status="rejected", at=NOON - 72 * HOUR)
    evidence = _author(kept())
    assert (
        evidence.detail
        == "earlier comments from this email address since 2026-02-28: 7 approved and 1 rejected; the address is not verified"
    )
    assert evidence.counts == {"approved": 7, "rejected": 1, "flagged": 0}
    assert evidence.found == {"rejected": "1 earlier comment from this email address was rejected"}


def test_a_second_rejection_holds_back(kept: Comes) -> None:
    for n in range(2):
        kept(status="rejected", at=NOON - (n + 1) * HOUR)
    assert decide([_author(kept())], Policy()).reasons == (
        "2 earlier comments from this email address were rejected",
    )


@pytest.mark.parametrize(
    "other", [{"site_id": 2}, {"email_index": "bob"}, {"erased": True}, {"at": NOON + MINUTE}]
)
def test_comments_that_do_not_belong_to_the_record(kept: Comes, other: dict[str, object]) -> None:
    kept(**{"status": "rejected", "at": NOON - HOUR, **other})
    assert _author(kept()).detail == "first comment from this email address"


def test_looking_again_does_not_count_the_comment_itself(kept: Comes) -> None:
    assert _author(kept(status="rejected")).counts["rejected"] == 0


def test_of_a_long_record_only_the_newest_are_read(
    kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(author, "MOST", 3)
    monkeypatch.setattr(
        author, "_counting", author._counting.__wrapped__
    )  # statements are built once, and contain MOST
    for n in range(6):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    assert _author(kept()).counts["approved"] == 3


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (["pending"], "1 waiting"),
        (["flagged", "flagged"], "2 held"),
        (["approved", "flagged"], "1 approved and 1 held"),
        (["rejected", "flagged", "approved"], "1 approved, 1 rejected and 1 held"),
    ],
)
def test_the_record_is_one_sentence(kept: Comes, statuses: list[str], words: str) -> None:
    for n, status in enumerate(statuses):
        kept(status=status, at=NOON - (n + 1) * MINUTE)
    since = "earlier comments from this email address since 2026-03-03"
    assert _author(kept()).detail == f"{since}: {words}; the address is not verified"


def test_comments_without_an_email_share_no_record(kept: Comes) -> None:
    kept(status="rejected", at=NOON - HOUR, email_index="")
    assert _author(kept(email_index="")).detail == "first comment from this email address"


def test_each_comment_of_a_batch_gets_its_own_record(kept: Comes) -> None:
    kept(status="rejected", at=NOON - HOUR, email_index="bad")
    batch = [kept(email_index=""), kept(email_index="bad"), kept(email_index="good")]
    with reading() as session:
        found = author.check(batch, session, NOON)
    assert [item.counts["rejected"] for item in found] == [0, 1, 0]


def _author(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = author.check([comment], session, NOON)
    return evidence
