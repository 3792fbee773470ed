"""The model is asked once per batch, and only about languages that it learned."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.features import COUNTED, COUNTED_COLUMNS
from models.classifier.model import CountsAlone
from models.classifier.text import MOST_TOKENS
from models.judgement.evidence import UNREAD, Outcome
from models.judgement.policy import Policy, Verdict, decide
from tests.worker.checks.conftest import Comes, CountingModel
from worker.checks import spam


@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        ("a walk", Outcome.CLEAR, "spam score 0.04: probably not spam"),
        ("a casino", Outcome.FOUND, "spam score 0.53: probably spam"),
        ("casino casino casino casino", Outcome.FOUND, "spam score 0.96: very likely spam"),
    ],
)
def test_a_score_is_put_into_words(
    model: CountingModel, comes: Comes, body: str, outcome: Outcome, detail: str
) -> None:
    [evidence] = spam.check([comes(body)])
    assert (evidence.outcome, evidence.detail, evidence.version) == (outcome, detail, "casino-1")


def test_a_batch_is_one_question_about_the_bodies_alone(model: CountingModel, comes: Comes) -> None:
    batch = [
        comes("a walk", name="casino"),
        comes("casino", language="und"),
        comes("ein Spaziergang", language="de"),
    ]
    assert [round(item.score or 0, 2) for item in spam.check(batch)] == [0.04, 0.6, 0.04]
    assert model.asked == [3]


def test_a_language_it_has_not_learned_is_not_judged_and_goes_to_a_human(
    model: CountingModel, comes: Comes
) -> None:
    arabic, english = spam.check([comes("كازينو", language="ar"), comes("a walk")])
    assert (arabic.outcome, arabic.score) == (Outcome.ABSTAINED, None)
    assert (
        arabic.detail == "the spam model does not know Arabic yet, so it can't score this comment"
    )
    assert (english.outcome, decide([arabic], Policy()).verdict) == (Outcome.CLEAR, Verdict.FLAG)


def test_signs_that_need_no_language_are_scored_if_the_model_learned_them(
    model: CountingModel, comes: Comes
) -> None:
    of_a_link = np.zeros(COUNTED_COLUMNS)
    of_a_link[COUNTED.index("has a link")] = 3.0
    model.counts_alone = CountsAlone(of_a_link, -2.0)
    walk, link = spam.check(
        [comes("نزهة", language="ar"), comes("نزهة http://shop.example", language="ar")]
    )

    assert [round(item.score or 0, 2) for item in (walk, link)] == [0.12, 0.73]
    assert {item.outcome for item in (walk, link)} == {Outcome.ABSTAINED}
    assert link.detail == (
        "the spam model does not know Arabic yet; signals that do not depend on "
        "the language, such as links and disguised letters, score 0.73: probably spam"
    )
    assert [decide([item], Policy()).verdict for item in (walk, link)] == [
        Verdict.APPROVE,
        Verdict.FLAG,
    ]


def test_a_language_of_which_it_has_read_a_little_is_judged_more_carefully(
    model: CountingModel, comes: Comes
) -> None:
    walk, casino, english = spam.check(
        [
            comes("une promenade", language="fr"),
            comes("casino, une promenade", language="fr"),
            comes("a walk"),
        ]
    )
    assert [decide([item], Policy()).verdict for item in (walk, casino, english)] == [
        Verdict.APPROVE,
        Verdict.FLAG,
        Verdict.APPROVE,
    ]
    assert (
        casino.found["little_known"]
        == "the model knows little French, so a lower score is enough to hold the comment"
    )
    assert english.found == {}


def test_a_text_that_the_model_does_not_read_to_its_end_goes_to_a_human(
    model: CountingModel, comes: Comes
) -> None:
    short, long = spam.check([comes("a walk"), comes("a " * (MOST_TOKENS + 1))])
    assert (UNREAD in short.found, UNREAD in long.found) == (False, True)
    lenient = Policy.model_validate({"spam": {"flag_above": 1}})
    assert (decide([short], lenient).verdict, decide([long], lenient).verdict) == (
        Verdict.APPROVE,
        Verdict.FLAG,
    )


def test_a_batch_without_a_learned_language_does_not_trouble_the_model(
    model: CountingModel, comes: Comes
) -> None:
    spam.check([comes("كازينو", language="ar")])
    assert model.asked == []


def test_a_link_to_the_sites_own_pages_is_no_link(comes: Comes) -> None:
    own, others, none = (
        f"It was in the report of May, {link}"
        for link in ("https://paper.example/may", "https://shop.example/may", "page two")
    )
    scores = [
        item.score or 0.0 for item in spam.check([comes(body) for body in (own, others, none)])
    ]
    assert scores[0] < scores[1]
    assert scores[0] == pytest.approx(scores[2], abs=0.2)
