"""The record of a host is what became of the comments that linked to it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import LinkedHost
from models.store.database import begin, reading
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import hosts


@pytest.fixture
def linked(kept: Comes) -> Comes:
    """A comment with its row and its hosts' rows."""

    def link(body: str, status: str, **more: object) -> Candidate:
        comment = kept(body, status=status, **more)
        with begin() as session:
            session.execute(insert(LinkedHost), hosts.rows([comment]))
        return comment

    return link


def look(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = hosts.check([comment], session, NOON)
    return evidence


def test_a_host_whose_comments_were_rejected_is_reported(linked: Comes, kept: Comes) -> None:
    for n in range(3):
        linked("Look at https://pills.example/a", "rejected", at=NOON - n * MINUTE)
    linked("Look at https://pills.example/b", "approved", at=NOON - MINUTE)
    evidence = look(kept("See www.pills.example and https://new.example"))
    assert evidence.outcome is Outcome.FOUND
    assert evidence.counts == {"new": 1, "approved": 0, "rejected": 1}
    assert evidence.detail == (
        "earlier comments with pills.example: 3 rejected, 1 approved; 1 host is new to this site"
    )


def test_a_website_counts_like_a_link(linked: Comes, kept: Comes) -> None:
    linked("Nice.", "rejected", website="https://pills.example")
    assert look(kept("Nice.", website="http://www.pills.example/b")).counts["rejected"] == 1


def test_other_sites_and_later_comments_do_not_count(linked: Comes, kept: Comes) -> None:
    comment = kept("See https://pills.example")
    linked("Look at https://pills.example", "rejected")
    linked("Look at https://pills.example", "rejected", site_id=2)
    assert look(comment).counts == {"new": 1, "approved": 0, "rejected": 0}


def test_the_sites_own_pages_are_no_hosts(kept: Comes) -> None:
    evidence = look(kept("See https://paper.example/harbour"))
    assert (evidence.outcome, evidence.detail) == (Outcome.CLEAR, "no links to other sites")


def test_only_the_newest_of_a_hosts_comments_are_looked_at(
    linked: Comes, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "MOST", 2)
    hosts._counting.cache_clear()
    for status in ("rejected", "rejected", "rejected", "approved", "approved"):
        linked("Look at https://pills.example", status)
    evidence = look(kept("See https://pills.example"))
    hosts._counting.cache_clear()
    assert evidence.counts == {"new": 0, "approved": 1, "rejected": 0}
