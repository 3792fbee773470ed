"""How the comment was sent, one row per case."""

from __future__ import annotations

import pytest

from models.judgement.candidate import Form
from models.judgement.policy import FormPolicy, Policy, Verdict, decide
from tests.worker.checks.conftest import Comes
from worker.checks import form, language


@pytest.mark.parametrize(
    ("came", "found", "detail"),
    [
        (Form(token="valid", seconds=42), set(), "took 42 s to write"),
        (Form(token="valid", seconds=130), set(), "took 2 min to write"),
        (Form(token="valid"), set(), "has a valid form token"),
        (Form(token="missing"), {"no_token"}, "has no form token"),
        (Form(token="forged"), {"no_token"}, "has an invalid form token"),
        (Form(token="expired"), {"no_token"}, "has a form token older than a day"),
        (Form(token="valid", seconds=0.44), {"too_quick"}, "posted 0.4 s after opening the form"),
        (
            Form(token="valid", honeypot=True),
            {"honeypot"},
            "filled in a hidden field that only bots see",
        ),
        # A bot does all of it at once, and a moderator sees all of it.
        (
            Form(token="forged", seconds=0, honeypot=True),
            {"honeypot", "too_quick", "no_token"},
            (
                "filled in a hidden field that only bots see; posted 0.0 s after opening the form; "
                "has an invalid form token"
            ),
        ),
    ],
)
def test_the_evidence_of_the_form(comes: Comes, came: Form, found: set[str], detail: str) -> None:
    [evidence] = form.check([comes(form=came)])
    assert (set(evidence.found), evidence.detail, evidence.score) == (found, detail, came.seconds)


def test_the_owner_sets_how_fast_is_too_fast(comes: Comes) -> None:
    policy = Policy(form=FormPolicy(min_seconds=10))
    [evidence] = form.check([comes(form=Form(token="valid", seconds=5), policy=policy)])
    assert "too_quick" in evidence.found


def test_a_filled_honeypot_rejects_and_a_missing_token_alone_does_not(comes: Comes) -> None:
    machine, careful = form.check(
        [comes(form=Form(token="valid", honeypot=True)), comes(form=Form())]
    )
    assert decide([machine], Policy()).verdict is Verdict.REJECT
    assert decide([careful], Policy()).verdict is Verdict.APPROVE


@pytest.mark.parametrize(
    ("code", "detail"),
    [("en", "English"), ("ar", "Arabic"), ("und", "could not tell the language"), ("tlh", "tlh")],
)
def test_the_language_is_named_in_english(comes: Comes, code: str, detail: str) -> None:
    assert language.check([comes(language=code)])[0].detail == detail
