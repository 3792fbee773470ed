"""How many comments of each language a new model may hold."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.model import base_model
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.judgement.scores import SPAM
from worker.learning.traffic import (
    FEWEST_OF_A_LANGUAGE,
    MOST_EXAMPLES,
    Flags,
    added,
    check_traffic,
    held,
    rule_of,
)


def flags(of: int, count: int) -> Flags:
    """The first `count` of so many comments."""
    return np.arange(of) < count


@pytest.mark.parametrize(
    ("of", "before", "now", "passed"),
    [
        (100, 0, 2, True),
        (100, 0, 3, False),
        (100, 5, 7, True),
        (100, 5, 0, True),
        (10, 0, 1, False),  # ten points
        (9, 0, 9, True),  # too few to tell
    ],
)
def test_a_new_model_may_hold_two_points_more_of_a_language(
    of: int, before: int, now: int, passed: bool
) -> None:
    ids = [str(number) for number in range(of)]
    found = check_traffic(ids, ["en"] * of, flags(of, before), flags(of, now))

    assert found["passed"] == passed
    assert held(found) == {"of": of, "before": before, "now": now}


def test_a_rare_language_is_pooled_with_the_others() -> None:
    languages = ["en"] * 200 + ["de"] * 9 + ["pt"] * (FEWEST_OF_A_LANGUAGE - 1)
    now = np.array([language == "de" for language in languages])
    ids = [str(number) for number in range(len(languages))]

    found = check_traffic(ids, languages, np.zeros(len(languages), bool), now)

    assert found["languages"] == [
        {"language": "en", "of": 200, "before": 0, "now": 0},
        {"language": "other", "of": 18, "before": 0, "now": 9},
    ]
    assert not found["passed"]
    assert found["examples"] == ids[209 - MOST_EXAMPLES : 209]


def test_without_traffic_nothing_speaks_against_a_model() -> None:
    none = np.zeros(0, bool)
    found = check_traffic([], [], none, none)

    assert found["passed"]
    assert added(held(found)) == 0


def test_each_model_keeps_a_promise_with_its_own_threshold() -> None:
    policy = Policy.model_validate({"promises": {"good_held_back_one_in": 20}})
    scores = Scores(good=[0.1] * 100 + [0.6] * 100, spam=[0.9] * 40)

    by_hand = rule_of(policy, SPAM, base_model(), scores={})
    fitted = rule_of(policy, SPAM, base_model(), scores={SPAM: scores})

    assert by_hand.holds(np.array([0.55]), ["en"]).tolist() == [True]
    assert fitted.holds(np.array([0.55]), ["en"]).tolist() == [False]


def test_a_language_without_a_score_is_not_held() -> None:
    rule = rule_of(Policy(), SPAM, base_model(), scores={})
    learned = rule_of(Policy(), SPAM, base_model(), scores={}, languages=["id"])

    assert rule.holds(np.array([0.9]), ["id"]).tolist() == [False]
    assert learned.holds(np.array([0.9]), ["id"]).tolist() == [True]
