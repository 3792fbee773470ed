"""The language check names a comment's language, and counts it against the comment only if the
owner wants to read that language first.
"""

from __future__ import annotations

import pytest

from models.judgement.evidence import READ_FIRST, Outcome
from models.judgement.policy import Policy, Verdict, decide
from tests.worker.checks.conftest import Comes
from worker.checks.language import check, name_of


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("en", "English"),
        ("de", "German"),
        ("und", "could not tell the language"),
        ("tlh", "tlh"),  # an import may have a code that we have no name for
    ],
)
def test_the_language_is_named_in_english(comes: Comes, code: str, detail: str) -> None:
    [evidence] = check([comes(language=code)])
    assert (evidence.check, evidence.outcome, evidence.detail) == (
        "language",
        Outcome.CLEAR,
        detail,
    )


def test_both_kinds_of_norwegian_have_one_name() -> None:
    assert {name_of(code) for code in ("no", "nb", "nn")} == {"Norwegian"}


def test_a_batch_is_answered_in_its_order(comes: Comes) -> None:
    found = check([comes(language=code) for code in ("fr", "und", "ja")])
    assert [item.detail for item in found] == ["French", "could not tell the language", "Japanese"]


def test_an_empty_batch_has_no_evidence() -> None:
    assert check([]) == []


def test_a_comment_in_a_language_to_read_first_waits_for_a_moderator(comes: Comes) -> None:
    policy = Policy.model_validate({"abuse": {"first_in_languages": ["tr", "fa"]}})
    found = check([comes(language=code, policy=policy) for code in ("tr", "en", "und")])
    assert found[0].detail == "Turkish"
    assert found[0].found == {
        READ_FIRST: "this site reviews every comment in Turkish before publishing it"
    }
    verdicts = [decide([item], policy).verdict for item in found]
    assert verdicts == [Verdict.FLAG, Verdict.APPROVE, Verdict.APPROVE]
