"""Advertisements in disguise are held by the default policy."""

from __future__ import annotations

from datetime import UTC, datetime

from models.identifiers import new_id
from models.judgement.candidate import Candidate, Form
from models.judgement.policy import Policy, Verdict, decide
from models.spam.training.disguising import advertisements
from worker.checks import disguise, spam

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_each_run_disguises_alike() -> None:
    assert list(advertisements()) == list(advertisements())
    assert [each.text for each in advertisements(8)] != [each.text for each in advertisements(7)]


def test_nine_in_ten_advertisements_in_disguise_are_held_in_every_language() -> None:
    form = Form(token="valid", seconds=40)
    hidden = list(advertisements(seed=99))
    batch = [
        Candidate(
            new_id(), 1, 1, "Ann", "ann@paper.example", each.text, AT,
            language=each.language, form=form,
        )
        for each in hidden
    ]  # fmt: skip
    verdicts = [
        decide(evidence, Policy()).verdict
        for evidence in zip(disguise.check(batch), spam.check(batch), strict=True)
    ]

    for language in {each.language for each in hidden}:
        own = [
            verdict is Verdict.FLAG
            for each, verdict in zip(hidden, verdicts, strict=True)
            if each.language == language
        ]
        assert sum(own) >= 0.9 * len(own), language
