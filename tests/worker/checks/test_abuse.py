"""The abuse check names the kinds of abuse, and looks for them only where the score is notable."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from models.classifier.attributes import Attributes
from models.classifier.sparse import Sparse
from models.judgement.evidence import Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.judgement.scores import ABUSE
from tests.worker.checks.conftest import Comes, CountingModel
from worker.checks import abuse

Models = dict[str, CountingModel]


@pytest.mark.parametrize(
    ("body", "detail", "found"),
    [
        ("a walk", "abuse score 0.04: probably not abusive", set()),
        ("you idiot", "abuse score 0.53: probably abusive (insult)", {"insult"}),
        (
            "idiot idiot hell hell idiot idiot",
            "abuse score 0.93: very likely abusive (insult, swearing)",
            {"insult", "profanity"},
        ),
    ],
)
def test_a_score_is_put_into_words_with_the_kinds_of_abuse(
    models: Models, comes: Comes, body: str, detail: str, found: set[str]
) -> None:
    [evidence] = abuse.check([comes(body)])
    assert (evidence.check, evidence.detail, evidence.version) == ("abuse", detail, "idiot-1")
    assert evidence.found.keys() == found
    assert evidence.outcome is (Outcome.FOUND if found else Outcome.CLEAR)


def test_abuse_holds_a_comment_and_never_rejects_it(models: Models, comes: Comes) -> None:
    walk, insult = abuse.check([comes("a walk"), comes("idiot " * 9)])
    verdicts = [decide([item], Policy()).verdict for item in (walk, insult)]
    assert verdicts == [Verdict.APPROVE, Verdict.FLAG]


def test_a_language_that_it_does_not_know_is_left_to_the_other_checks(
    models: Models, comes: Comes
) -> None:
    [arabic] = abuse.check([comes("idiot", language="ar")])
    assert (arabic.outcome, arabic.score) == (Outcome.ABSTAINED, None)
    assert arabic.detail == (
        "the abuse model does not know Arabic yet, so it can't score this comment"
    )
    assert models[ABUSE].asked == []
    assert decide([arabic], Policy()).verdict is Verdict.APPROVE


def test_only_notable_comments_are_searched_for_kinds_of_abuse(
    models: Models, comes: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []

    def noting(attributes: Attributes, rows: Sparse) -> list[Mapping[str, float]]:
        searched.append(rows.height)
        return of_rows(attributes, rows)

    of_rows = Attributes.of_rows
    monkeypatch.setattr(Attributes, "of_rows", noting)
    abuse.check([comes("a walk"), comes("a river")])
    assert searched == []
    abuse.check([comes("a walk"), comes("you idiot"), comes("a river")])
    assert searched == [1]
