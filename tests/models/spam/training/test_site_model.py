"""A site's model begins as the base model, and decisions correct it: no fewer than it takes, and no
more.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest

from models.spam import context
from models.spam.model import probability
from models.spam.site import TEXT_COLUMNS, Seen, SiteModel
from models.spam.training.site_model import Label, log_loss, train

UNKNOWN = {"context": context.EDITION} | dict.fromkeys(context.COUNTS, context.UNKNOWN)
WORDS = (
    "the",
    "ferry",
    "was",
    "late",
    "again",
    "and",
    "nobody",
    "on",
    "the",
    "pier",
    "knew",
    "when",
    "it",
    "comes",
)


def labels(
    *kinds: tuple[int, bool, float, str], counts: Mapping[str, int] = UNKNOWN, seed: int = 1
) -> list[Label]:
    """So many comments of each kind: whether spam, what the base thinks on average, and a word that
    tells it.
    """
    chance, found = random.Random(seed), []
    for many, spam, base, word in kinds:
        for _ in range(many):
            text = " ".join([*chance.choices(WORDS, k=9), word])
            found.append(Label("", spam, "en", Seen(text, chance.gauss(base, 1), counts)))
    chance.shuffle(found)
    return found


def losses(model: SiteModel, of: list[Label]) -> tuple[float, float]:
    """The site's model's, and the base's alone."""
    spam = np.array([label.spam for label in of])
    base = np.array([label.seen.base for label in of], float)
    return log_loss(spam, model.probabilities([label.seen for label in of])), log_loss(
        spam, probability(base)
    )


def test_where_the_base_is_right_a_hundred_decisions_leave_it_so_even_if_they_were_nearly_all_of_one_kind() -> (
    None
):
    model = train(labels((92, False, -3, ""), (8, True, 3, "")), "", "").model
    later = labels((60, True, 3, ""), (40, False, -3, ""), seed=2)
    ours, base = losses(model, later)
    assert ours <= base + 0.02
    assert 0.8 <= model.weights[TEXT_COLUMNS] <= 1.6
    assert abs(model.intercept) < 1


def test_where_the_base_knows_nothing_the_sites_own_words_decide() -> None:
    model = train(labels((25, False, 0, "harbour"), (25, True, 0, "slot")), "", "").model
    ours, base = losses(model, labels((50, False, 0, "harbour"), (50, True, 0, "slot"), seed=2))
    assert ours < 0.3 < base


def test_where_the_base_is_wrong_it_is_overruled() -> None:
    model = train(labels((100, False, 2, "subscribe"), (100, True, 2, "slot")), "", "").model
    ours, base = losses(model, labels((50, False, 2, "subscribe"), (50, True, 2, "slot"), seed=2))
    assert ours < 0.2 < base


@pytest.mark.parametrize(
    "counts", [UNKNOWN, {"context": context.EDITION, "gives a website": 1}, {}]
)
def test_a_count_that_is_the_same_on_every_comment_weighs_nothing(counts: dict[str, int]) -> None:
    model = train(labels((45, False, -2, ""), (5, True, 2, ""), counts=counts), "", "").model
    assert not model.weights[TEXT_COLUMNS + 2 :].any()


def test_a_count_that_tells_spam_weighs() -> None:
    good, bad = ({**UNKNOWN, "hosts rejected here": many} for many in (0, 1))
    taught = labels((30, False, 0, ""), counts=good) + labels((30, True, 0, ""), counts=bad)
    model = train(taught, "", "").model
    assert model.weights[TEXT_COLUMNS + 2 + context.COUNTS.index("hosts rejected here")] > 5


def test_what_was_not_counted_yet_when_a_comment_was_screened_is_unknown_and_not_none() -> None:
    earlier, now = context.columns([{"context": 1}, {"context": context.EDITION}])
    unknown = len(context.COUNTS) + context.COUNTS.index("links to this page")
    assert (earlier[unknown], now[unknown]) == (1, 0)
    assert earlier.sum() == 1
