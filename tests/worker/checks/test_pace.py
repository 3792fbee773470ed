"""The pace check counts an author's or an address's comments in the last minute and hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.store.database import reading
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import pace

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_a_single_comment_is_one_in_the_minute_and_one_in_the_hour(kept: Comes) -> None:
    evidence = _pace(kept())
    assert (evidence.outcome, evidence.counts) == (Outcome.CLEAR, {"minute": 1, "hour": 1})


def test_the_author_or_the_address_counts_whichever_was_quicker(kept: Comes) -> None:
    for n in range(1, 4):
        kept(at=NOON - n * SECOND, email_index=f"another{n}")  # the same IP address
    kept(at=NOON - 30 * MINUTE, address="elsewhere")  # the same email address
    evidence = _pace(kept())
    assert evidence.counts == {"minute": 4, "hour": 4}
    assert evidence.detail == (
        "4 comments in the last minute and 4 in the last hour from this author or IP address, including this one"
    )


@pytest.mark.parametrize(
    ("earlier", "minute", "hour"),
    [
        ({"at": NOON - 59 * SECOND}, 2, 2),
        ({"at": NOON - 61 * SECOND}, 1, 2),
        ({"at": NOON - HOUR - SECOND}, 1, 1),
        ({"at": NOON + SECOND}, 1, 1),  # arrived later
        ({"at": NOON, "site_id": 2}, 1, 1),  # another site
    ],
)
def test_comments_that_count_for_the_pace(
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


def test_an_empty_hash_matches_nobody(kept: Comes) -> None:
    for _ in range(3):
        kept(email_index="", address="")
    assert _pace(kept(email_index="", address="")).counts == {"minute": 1, "hour": 1}


def test_the_pace_is_not_counted_where_limits_are_off(
    kept: Comes, set_env: Callable[[str, str], None]
) -> None:
    set_env("GREENROOM_RATE_LIMITS", "off")
    evidence = _pace(kept())
    assert (evidence.detail, evidence.counts) == (
        "not counted: rate limits are off on this server",
        {},
    )


def test_the_answers_of_a_batch_belong_to_its_comments_in_their_order(kept: Comes) -> None:
    kept(at=NOON - 10 * MINUTE, email_index="busy", address="")
    batch = [
        kept(email_index="new", address=""),
        kept(email_index="", address=""),
        kept(email_index="busy", address=""),
    ]
    with reading() as session:
        found = pace.check(batch, session, NOON)
    assert [item.counts["hour"] for item in found] == [1, 1, 2]
    assert [item.outcome for item in found] == [Outcome.CLEAR, Outcome.CLEAR, Outcome.FOUND]


def test_an_address_that_reads_like_an_author_is_not_counted_as_one(kept: Comes) -> None:
    kept(at=NOON - SECOND, email_index="same hash", address="elsewhere")
    assert _pace(kept(email_index="ann", address="same hash")).counts["minute"] == 1


@pytest.mark.parametrize("status", ["approved", "rejected", "deleted"])
def test_a_comment_counts_whatever_became_of_it(kept: Comes, status: str) -> None:
    kept(at=NOON - SECOND, status=status)
    assert _pace(kept()).counts["minute"] == 2


def _pace(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = pace.check([comment], session, NOON)
    return evidence
