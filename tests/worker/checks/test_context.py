"""The counts that a site's own model sees beside the text."""

from __future__ import annotations

import pytest

from models.classifier.context import EDITION, TAKEN, UNKNOWN
from models.judgement.candidate import Form
from models.judgement.evidence import Evidence, Outcome
from tests.worker.checks.conftest import Comes
from worker.checks.context import counts

CLEAR = {
    name: Evidence(check=name, outcome=Outcome.CLEAR, detail="")
    for name in ("hosts", "links", "repeats", "author")
}
HUMAN = Form(token="valid", seconds=40)
PAGE = "https://paper.example/harbour"


def test_counts_of_zero_are_left_out(comes: Comes) -> None:
    assert counts(comes(form=HUMAN, page=PAGE), CLEAR) == {TAKEN: EDITION, "seconds to write": 40}


def test_findings_of_other_checks_are_counted(comes: Comes) -> None:
    links = {"links": 3, "foreign": 1, "hosts": 3, "page": 1}
    known = CLEAR | {
        "links": Evidence(check="links", outcome=Outcome.FOUND, detail="", counts=links),
        "hosts": Evidence(check="hosts", outcome=Outcome.FOUND, detail="", counts={"new": 2}),
    }
    found = counts(comes(form=HUMAN, page=PAGE), known)
    assert found["hosts new here"] == 2
    assert found["links away"] == 3
    assert found["links to this page"] == 1
    assert found["links to this site"] == 2


def test_a_count_that_could_not_be_taken_is_unknown(comes: Comes) -> None:
    away = Evidence(check="author", outcome=Outcome.UNAVAILABLE, detail="")
    found = counts(comes(), CLEAR | {"author": away})
    assert found["author approved"] == found["author rejected"] == UNKNOWN
    assert found["seconds to write"] == UNKNOWN
    assert found["links to this page"] == UNKNOWN  # the form did not name its page
    assert found["no form token"] == 1


@pytest.mark.parametrize(
    ("address", "is_free"),
    [
        ("ann@gmail.com", True),
        ("Ann@GMAIL.com", True),
        ("ann@yahoo.fr", True),
        ("ann@me.com", True),
        ("ann@comcast.net", False),
        ("ann@paper.test", False),
    ],
)
def test_free_mailboxes_are_recognised(comes: Comes, address: str, is_free: bool) -> None:
    assert counts(comes(email=address), CLEAR).get("a free mailbox", 0) == is_free


def test_oddities_of_the_author_are_counted(comes: Comes) -> None:
    found = counts(
        comes(
            "Come to WATCHES.example today.",
            name="WATCHES24.example",
            email="w4tch3s@paper.test",
            website="https://www.watches.example/x",
        ),
        CLEAR,
    )
    assert found["digits in the name"] == 2
    assert found["the name is an address"] == 1
    assert found["digits in the mailbox"] == 2
    assert found["gives a website"] == found["the website in the text"] == 1
    assert counts(comes(name="ANNA"), CLEAR)["the name in capitals"] == 1
