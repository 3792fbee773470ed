"""Evidence about how a comment was sent."""

from __future__ import annotations

import pytest

from models.identifiers import new_id
from models.judgement import form
from models.judgement.candidate import Candidate, Form
from models.judgement.evidence import Outcome
from models.judgement.policy import FormPolicy, Policy
from models.store.database import now


def candidate(how: Form, min_seconds: float = 2.0) -> Candidate:
    policy = Policy(form=FormPolicy(min_seconds=min_seconds))
    said = "The ferry was late."
    return Candidate(new_id(), 1, 1, "Ann", "", said, now(), form=how, policy=policy)


@pytest.mark.parametrize(
    ("how", "outcome", "found", "detail"),
    [
        (Form("valid", 30.0), Outcome.CLEAR, [], "took 30 s to write"),
        (Form("valid", 200.0), Outcome.CLEAR, [], "took 3 min to write"),
        (Form("valid", 7200.0), Outcome.CLEAR, [], "took 2 h to write"),
        (Form("valid"), Outcome.CLEAR, [], "has a valid form token"),
        (
            Form("valid", 1.94),
            Outcome.FOUND,
            ["too_quick"],
            "posted 1.9 s after opening the form",
        ),
        (Form("missing"), Outcome.FOUND, ["no_token"], "has no form token"),
        (Form("forged"), Outcome.FOUND, ["no_token"], "has an invalid form token"),
        (Form("expired"), Outcome.FOUND, ["no_token"], "has a form token older than a day"),
        (Form("odd"), Outcome.FOUND, ["no_token"], "has no valid form token"),
        (
            Form("forged", honeypot=True),
            Outcome.FOUND,
            ["honeypot", "no_token"],
            "filled in a hidden field that only bots see; has an invalid form token",
        ),
    ],
)
def test_machines_fill_hidden_fields_hurry_and_skip_the_form(
    how: Form, outcome: Outcome, found: list[str], detail: str
) -> None:
    (evidence,) = form.check([candidate(how)])
    assert (evidence.outcome, list(evidence.found), evidence.detail) == (outcome, found, detail)
    assert evidence.score == how.seconds


def test_each_site_says_how_quick_is_too_quick() -> None:
    quick, slow = form.check([candidate(Form("valid", 4.0), n) for n in (5.0, 3.0)])
    assert (list(quick.found), list(slow.found)) == (["too_quick"], [])
