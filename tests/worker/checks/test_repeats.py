"""A campaign repeats itself, and a courtesy is no campaign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.store.database import reading
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import repeats

SERMON = (
    "My life was ruined until I met the great healer who brought my husband back to me within "
    "two days, "
    "and I promised to tell the whole world about his wonderful work. Write to him today!"
)
ANOTHER = SERMON.replace("husband", "daughter").replace("two days", "three days")


def test_the_same_text_is_counted_over_authors_and_threads(kept: Comes) -> None:
    for n in range(3):
        kept(SERMON, screened=True, at=NOON - n * MINUTE, email_index=f"author{n}")
    evidence = _look(kept(SERMON))
    assert evidence.counts == {"same": 3, "similar": 0}
    assert evidence.found == {"same": "same text as 3 other comments in the last hour"}
    assert decide([evidence], Policy()).verdict is Verdict.FLAG


@pytest.mark.parametrize(
    "dressed",
    [
        SERMON.upper(),
        SERMON.replace(",", "!!!"),
        SERMON.replace("a", "а"),
        SERMON.replace(" ", "\n\n"),
    ],
)
def test_capitals_punctuation_and_look_alikes_make_no_other_text(kept: Comes, dressed: str) -> None:
    kept(SERMON, screened=True, at=NOON - MINUTE)
    assert _look(kept(dressed)).counts == {"same": 1, "similar": 0}


def test_nearly_the_same_text_is_found(kept: Comes) -> None:
    kept(SERMON, screened=True, at=NOON - MINUTE)
    evidence = _look(kept(ANOTHER))
    assert evidence.counts == {"same": 0, "similar": 1}
    assert evidence.found == {"similar": "nearly the same text as another comment in the last hour"}


def test_the_evidence_says_how_many_came_in_the_last_hour(kept: Comes) -> None:
    for minutes in (30, 90, 600):
        kept(SERMON, screened=True, at=NOON - minutes * MINUTE)
    kept(ANOTHER, screened=True, at=NOON - 90 * MINUTE)
    assert _look(kept(SERMON)).found == {
        "same": "same text as 3 other comments in the last day, 1 of them in the last hour",
        "similar": "nearly the same text as another comment in the last day",
    }


def test_a_campaign_is_called_after_its_first_comment_whatever_was_resembled(kept: Comes) -> None:
    first = kept(SERMON, screened=True, at=NOON - 3 * MINUTE)
    second = kept(ANOTHER, screened=True, at=NOON - 2 * MINUTE)
    assert _look(first).campaign is None
    assert _look(second).campaign == first.id
    batch = [kept(SERMON, at=NOON), kept(ANOTHER, at=NOON + MINUTE)]
    assert [item.campaign for item in _check(batch)] == [first.id, first.id]


def test_within_a_batch_all_belong_to_the_campaign_of_the_first(kept: Comes) -> None:
    batch = [kept(text, at=NOON + n * MINUTE) for n, text in enumerate((SERMON, ANOTHER, SERMON))]
    assert [item.campaign for item in _check(batch)] == [None, batch[0].id, batch[0].id]


@pytest.mark.parametrize(
    "earlier",
    [
        {"site_id": 2},  # another site
        {"at": NOON - timedelta(days=1, minutes=1)},  # too long ago
        {"at": NOON + MINUTE},  # arrived later
        {"screened": False},  # not screened yet
    ],
)
def test_comments_that_do_not_count_as_repeats(kept: Comes, earlier: dict[str, object]) -> None:
    kept(SERMON, **{"screened": True, "at": NOON - MINUTE, **earlier})
    assert _look(kept(SERMON)).outcome is Outcome.CLEAR


def test_an_erased_comment_is_not_compared_any_more(kept: Comes) -> None:
    kept(SERMON, screened=True, erased=True, at=NOON - MINUTE)
    assert _look(kept(ANOTHER)).outcome is Outcome.CLEAR


def test_a_courtesy_is_no_campaign(kept: Comes) -> None:
    for n in range(5):
        kept("Thank you!", screened=True, at=NOON - n * MINUTE)
    evidence = _look(kept("Thank you!"))
    assert (evidence.outcome, evidence.detail) == (
        Outcome.CLEAR,
        "too short to compare with other comments",
    )


def test_a_different_text_is_not_similar(kept: Comes) -> None:
    kept(SERMON, screened=True, at=NOON - MINUTE)
    other = (
        "I walked along the river this morning and the herons were back, all four of "
        "them, fishing in the fog."
    )
    assert _look(kept(other)).detail == "no similar comment in the last day"


def test_looking_again_does_not_count_the_comment_itself(kept: Comes) -> None:
    assert _look(kept(SERMON, screened=True)).outcome is Outcome.CLEAR


def test_repeats_within_a_batch_are_counted_from_the_second_on(kept: Comes) -> None:
    batch = [
        kept(text, at=NOON + n * MINUTE) for n, text in enumerate((SERMON, SERMON, ANOTHER, SERMON))
    ]
    found = _check(list(reversed(batch)))
    assert [item.counts for item in reversed(found)] == [
        {"same": 0, "similar": 0},
        {"same": 1, "similar": 0},
        {"same": 0, "similar": 2},
        {"same": 2, "similar": 1},
    ]


def test_a_batch_and_stored_comments_add_up(kept: Comes) -> None:
    kept(SERMON, screened=True, at=NOON - MINUTE)
    batch = [kept(SERMON, screened=True), kept(SERMON, screened=True, at=NOON + MINUTE)]
    assert [item.counts["same"] for item in _check(batch)] == [1, 2]


def test_a_large_campaign_is_counted_without_reading_all_of_it(
    kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "MOST_SAME", 5)
    for n in range(8):
        kept(SERMON, screened=True, at=NOON - n * MINUTE)
    assert (
        _look(kept(SERMON)).found["same"]
        == "same text as 5 or more other comments in the last hour"
    )


def test_a_text_leaves_five_fingerprints_that_stay_the_same(comes: Comes) -> None:
    comment = comes(SERMON, id="01890000-0000-7000-8000-000000000000")
    rows = repeats.fingerprints([comment, comes("Thank you!")])
    assert {row["comment_id"] for row in rows} == {comment.id}
    # Stored fingerprints are compared with new ones: if these change, nobody notices yesterday's
    # campaigns.
    assert [row["band"] for row in rows] == STORED
    assert all(-(2**63) <= row["band"] < 2**63 for row in rows)


STORED = [
    -8556507129970662455,
    6421098592549672295,
    881016408969094841,
    6431355888043377214,
    6919816033515661647,
]


def _look(comment: Candidate) -> Evidence:
    [evidence] = _check([comment])
    return evidence


def _check(batch: list[Candidate]) -> list[Evidence]:
    with reading() as session:
        return repeats.check(batch, session, NOON)
