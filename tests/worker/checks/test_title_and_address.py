"""The page check reads the title and address that a comment would give its thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Policy
from models.store.database import reading
from tests.worker.checks.conftest import NOON, Comes
from worker.checks import title_and_address

POLICY = Policy.model_validate({"words": {"blocked": ["casino"]}})
SITE = "https://paper.example"


def looked_at(*batch: Candidate) -> list[Evidence]:
    with reading() as session:
        return title_and_address.check(batch, session, NOON)


@pytest.fixture
def gives(records: None, comes: Comes) -> Comes:
    """A comment on a site that blocks the word "casino"."""

    def make(**more: Any) -> Candidate:
        return replace(comes(**more), policy=POLICY)

    return make


def test_a_comment_without_title_and_address_passes_the_page_check(gives: Comes) -> None:
    [evidence] = looked_at(gives(body="A casino in the body is no business of this check."))
    assert (evidence.outcome, evidence.counts) == (Outcome.CLEAR, {})
    assert evidence.detail == "the comment has no page title or address"


def test_a_good_title_and_address_are_clear(gives: Comes) -> None:
    [evidence] = looked_at(gives(new_title="The harbour", new_address=f"{SITE}/2026/harbour"))
    assert (evidence.outcome, evidence.counts) == (Outcome.CLEAR, {})
    assert evidence.detail == "no problem with the page's title and address"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"new_title": "Best casino in town"}, "title"),
        ({"new_address": f"{SITE}/best-casino"}, "address"),
        ({"new_address": f"{SITE}/?q=casino"}, "address"),  # the query counts
        ({"new_address": f"{SITE}/%63asino"}, "address"),  # and escaped text, too
    ],
)
def test_a_listed_word_is_found_and_its_part_is_named(
    gives: Comes, given: dict[str, str], part: str
) -> None:
    [evidence] = looked_at(gives(**given))
    assert (evidence.outcome, evidence.counts) == (Outcome.FOUND, {part: 1})
    assert evidence.detail.startswith(f"the page's {part} uses ")
    assert "casino" in evidence.detail


def test_the_host_of_the_address_is_not_read_as_words(gives: Comes) -> None:
    [evidence] = looked_at(gives(new_address="https://casino.example/harbour"))
    assert evidence.outcome is Outcome.CLEAR


def test_an_address_that_is_no_url_is_not_looked_at(gives: Comes) -> None:
    [evidence] = looked_at(gives(new_address="casino"))
    assert evidence.detail == "the comment has no page title or address"


@pytest.mark.parametrize(
    ("title", "hosts"),
    [
        ("Buy at https://shop.example/now", "shop.example"),
        ("Buy at WWW.shop.example now", "www.shop.example"),
        ("Read https://paper.example/other", ""),  # the site's own
        ("Read https://blog.paper.example/", ""),  # and one below it
        ("Why shop.example failed", ""),  # headlines name companies
    ],
)
def test_a_title_may_name_no_other_hosts_url(gives: Comes, title: str, hosts: str) -> None:
    [evidence] = looked_at(gives(new_title=title))
    expected = {"link": f"the page's title mentions {hosts}"} if hosts else {}
    assert evidence.found == expected


def test_at_most_three_hosts_are_named(gives: Comes) -> None:
    title = " ".join(f"https://s{n}.example" for n in range(5))
    [evidence] = looked_at(gives(new_title=title))
    assert evidence.found["link"].endswith(" mentions s0.example, s1.example, s2.example")


def test_problems_of_title_and_address_are_reported_together(gives: Comes) -> None:
    both = gives(new_title="Best casino", new_address=f"{SITE}/casino")
    [evidence] = looked_at(both)
    assert evidence.counts == {"title": 1, "address": 1}
    [sentence] = evidence.found.values()
    assert sentence.count("the page's ") == 2


def test_each_comment_of_a_batch_gets_its_own_evidence(gives: Comes) -> None:
    batch = [gives(new_title="Best casino"), gives(), gives(new_title="The harbour")]
    assert [item.outcome for item in looked_at(*batch)] == [
        Outcome.FOUND,
        Outcome.CLEAR,
        Outcome.CLEAR,
    ]
