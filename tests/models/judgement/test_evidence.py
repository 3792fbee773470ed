"""Evidence as a screening stores it, and which parts of a comment a thread must not use."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from models.judgement.evidence import Evidence, Outcome, from_stored, refused_of_page

SPAM = Evidence(
    check="spam",
    outcome=Outcome.FOUND,
    detail="98 % spam",
    score=0.98,
    found={"little_known": "it has read little German"},
    counts={"links": 2},
    campaign="c1",
    ms=1.5,
    version="7.1",
)


def test_stored_evidence_reads_back_as_it_was() -> None:
    assert from_stored(asdict(SPAM)) == SPAM


def test_evidence_of_another_version_is_read_as_far_as_possible() -> None:
    stored = {"check": "links", "outcome": "clear", "detail": "no links", "invented_later": 1}
    assert from_stored(stored) == Evidence("links", Outcome.CLEAR, "no links")


@pytest.mark.parametrize(
    ("outcome", "counts", "refused"),
    [
        (Outcome.CLEAR, {}, set()),
        (Outcome.FOUND, {"title": 1}, {"title"}),
        (Outcome.FOUND, {"title": 1, "address": 1}, {"title", "address"}),
        # If the check could not run, nothing was checked.
        (Outcome.UNAVAILABLE, {}, {"title", "address"}),
    ],
)
def test_a_thread_takes_nothing_that_the_page_check_refused(
    outcome: Outcome, counts: dict[str, int], refused: set[str]
) -> None:
    page = Evidence(check="page", outcome=outcome, detail="", counts=counts)
    assert refused_of_page([SPAM, page]) == refused


def test_evidence_from_before_the_page_check_refuses_nothing() -> None:
    assert refused_of_page([SPAM]) == set()
