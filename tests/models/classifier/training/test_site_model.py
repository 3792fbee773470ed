"""A site's model begins as the base model, and decisions correct it: as many as needed, no more and
no fewer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest

from models.classifier import context
from models.classifier.model import probability
from models.classifier.site_model import TEXT_COLUMNS, Seen, SiteModel
from models.classifier.training.base_model import Flags, Untrainable
from models.classifier.training.site_model import Comparison, Label, compare, log_loss, train

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
    """Return that many comments of each kind: whether it is spam, the base model's average opinion,
    and a word that reveals it.
    """
    chance, found = random.Random(seed), []
    for many, spam, base, word in kinds:
        for _ in range(many):
            text = " ".join([*chance.choices(WORDS, k=9), word])
            found.append(Label("", spam, "en", Seen(text, chance.gauss(base, 1), counts)))
    chance.shuffle(found)
    return found


def losses(model: SiteModel, of: list[Label]) -> tuple[float, float]:
    """Return the losses of the site's model and of the base model alone."""
    spam = np.array([label.bad for label in of])
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


def test_in_a_language_unknown_to_the_base_model_the_sites_own_words_decide() -> None:
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


def test_a_count_that_indicates_spam_gets_a_weight() -> None:
    good, bad = ({**UNKNOWN, "hosts rejected here": many} for many in (0, 1))
    taught = labels((30, False, 0, ""), counts=good) + labels((30, True, 0, ""), counts=bad)
    model = train(taught, "", "").model
    assert model.weights[TEXT_COLUMNS + 2 + context.COUNTS.index("hosts rejected here")] > 5


def test_a_count_newer_than_the_screening_is_unknown_and_not_zero() -> None:
    earlier, now = context.columns([{"context": 1}, {"context": context.EDITION}])
    unknown = len(context.COUNTS) + context.COUNTS.index("links to this page")
    assert (earlier[unknown], now[unknown]) == (1, 0)
    assert earlier.sum() == 1


def test_fewer_than_25_decisions_or_three_of_a_kind_teach_nothing() -> None:
    enough = labels((22, False, -2, ""), (3, True, 2, ""))
    assert train(enough, "", "").model

    for too_few in (enough[:24], labels((23, False, -2, ""), (2, True, 2, ""))):
        with pytest.raises(Untrainable, match="25 decisions are needed, and 3 of each kind"):
            train(too_few, "", "")


def test_two_trainings_give_the_same_weights_and_two_models() -> None:
    taught = labels((15, False, -2, "pier"), (15, True, 2, "slot"))
    one, same, later = (train(taught, "base", made).model for made in ("Monday", "Monday", "noon"))

    np.testing.assert_array_equal(one.weights, later.weights)
    assert one.version == same.version != later.version
    assert one.version.startswith("site-")
    assert len(one.version) == len("site-") + 12


def test_the_model_remembers_its_base() -> None:
    assert train(labels((15, False, -2, ""), (15, True, 2, "")), "0123", "").model.base == "0123"


@pytest.mark.parametrize(
    ("ham", "spam", "is_learned"),
    [(7, 3, True), (3, 7, True), (6, 3, False), (9, 1, False), (20, 0, False), (2, 20, False)],
)
def test_a_language_takes_ten_labels_and_three_of_each_kind(
    ham: int, spam: int, is_learned: bool
) -> None:
    english = labels((15, False, -2, ""), (15, True, 2, ""))
    indonesian = [
        label._replace(language="id")
        for label in labels((ham, False, -2, "kapal"), (spam, True, 2, "slot"))
    ]

    languages = train([*english, *indonesian], "", "").model.languages

    assert languages == ({"en", "id"} if is_learned else {"en"})


def test_an_unknown_language_is_learned_like_any_other() -> None:
    unknown = [
        label._replace(language=language)
        for language in ("", "und")
        for label in labels((2, False, -2, ""), (15, True, 2, ""))
    ]
    english = labels((15, False, -2, ""), (15, True, 2, ""))

    assert train([*english, *unknown], "", "").model.languages == {"en", "und"}
    assert train([*english, *unknown[:17]], "", "").model.languages == {"en"}


def test_labels_in_a_language_that_is_not_learned_keep_the_base_models_opinion() -> None:
    english = labels((15, False, -2, ""), (15, True, 2, ""))
    german = [each._replace(language="de") for each in labels((0, False, 0, ""), (5, True, 1, ""))]

    trained = train([*english, *german], "", "")

    by_base = probability(np.array([each.seen.base for each in german], float))
    np.testing.assert_allclose(trained.held_out[30:], by_base)


def test_each_label_is_judged_by_a_model_that_had_not_seen_it() -> None:
    """One rejection among comments like it cannot be foreseen."""
    taught = labels((40, False, -2, "pier"), (10, True, 2, "slot"))
    odd = Label("odd", True, "en", Seen("the ferry on the pier", -2.0, UNKNOWN))
    trained = train([*taught, odd], "", "")

    assert trained.held_out.shape == (51,)
    assert trained.held_out[-1] < 0.5
    assert trained.model.probabilities([odd.seen])[0] > trained.held_out[-1]


def drawn(of: list[Label]) -> list[Label]:
    """The same labels of comments that were drawn at random."""
    return [label._replace(propensity=0.5) for label in of]


def half_seen(count: int) -> Flags:
    return np.arange(count) % 2 == 0


def test_few_labels_are_compared_by_cross_validation_on_those_the_champion_has_not_seen() -> None:
    taught = drawn(labels((50, False, 0, "harbour"), (50, True, 0, "slot")))
    trained, spam = train(taught, "", ""), np.array([label.bad for label in taught])
    unseen = half_seen(100)

    result = compare(taught, trained, np.full(100, 0.5), unseen)

    assert (result.rows, result.how) == (50, "in cross-validation")
    assert result.challenger == round(log_loss(spam[unseen], trained.held_out[unseen]), 4)
    assert result.champion == round(float(np.log(2)), 4)
    assert result.challenger_wins


def test_many_labels_are_compared_on_the_newest_fifth() -> None:
    """The moderators changed their minds at the end: only a model of the old labels is wrong."""
    old = labels((90, False, 0, "harbour"), (90, True, 0, "slot"))
    new = labels((30, True, 0, "harbour"), (30, False, 0, "slot"), seed=2)
    taught = drawn([*old, *new])
    spam = np.array([label.bad for label in taught])
    foresees = np.where(spam, 0.9, 0.1)

    result = compare(taught, train(taught, "", ""), foresees, np.ones(240, bool))

    assert (result.rows, result.how) == (
        48,
        "on the newest decisions, which neither model had seen",
    )
    assert result.champion == round(float(-np.log(0.9)), 4)
    assert result.challenger > 1
    assert not result.challenger_wins


def test_of_the_newest_only_those_the_champion_has_not_seen_count() -> None:
    taught = drawn(labels((120, False, 0, "harbour"), (120, True, 0, "slot")))

    result = compare(taught, train(taught, "", ""), np.full(240, 0.5), half_seen(240))

    assert result.rows == 24


def test_labels_from_the_queue_judge_no_model() -> None:
    taught = labels((30, False, 0, "harbour"), (30, True, 0, "slot"))
    queue = [label._replace(propensity=1.0) for label in taught[:55]]
    sample = [label._replace(propensity=0.02) for label in taught[55:]]

    result = compare([*queue, *sample], train(taught, "", ""), np.full(60, 0.5), np.ones(60, bool))

    assert result.rows == 5


def test_a_label_counts_for_as_many_comments_as_it_stands_for() -> None:
    label = Label("", True, "en", Seen("A comment", 0.0, {}))
    weights = {
        propensity: label._replace(propensity=propensity).weight
        for propensity in (None, 1.0, 0.5, 0.01)
    }

    assert weights == {None: 1.0, 1.0: 1.0, 0.5: 2.0, 0.01: 20.0}


def test_without_labels_that_contradict_it_the_model_thinks_of_anchors_what_the_base_does() -> None:
    """The queue holds mostly spam, and its few good comments are of another kind than the rest."""
    taught = labels((4, False, 0, "harbour"), (96, True, 0, "slot"))
    others = [label.seen for label in labels((200, False, -1, "garden"), seed=3)]

    pulled = train(taught, "", "").model.probabilities(others)
    anchored = train(taught, "", "", others).model.probabilities(others)

    by_base = probability(np.array([seen.base for seen in others], float))
    assert np.abs(anchored - by_base).mean() < 0.05 < np.abs(pulled - by_base).mean()


def test_with_nothing_to_compare_the_new_model_wins() -> None:
    taught = labels((25, False, 0, "harbour"), (25, True, 0, "slot"))

    result = compare(taught, train(taught, "", ""), np.full(50, 0.5), np.zeros(50, bool))

    assert result == Comparison(0, 0.0, 0.0, "in cross-validation")
    assert result.challenger_wins


@pytest.mark.parametrize(
    ("rows", "challenger", "wins"),
    [(10, 0.3, True), (10, 0.4, True), (10, 0.5, False), (9, 0.5, True)],
)
def test_a_challenger_wins_if_it_is_as_good_or_if_too_few_rows_can_tell(
    rows: int, challenger: float, wins: bool
) -> None:
    assert Comparison(rows, challenger, 0.4, "").challenger_wins is wins


def test_one_sure_mistake_costs_no_more_than_one_in_two_hundred() -> None:
    wrong, right = np.array([True]), np.array([False])

    assert log_loss(wrong, np.array([0.0])) == pytest.approx(-np.log(0.005))
    assert log_loss(wrong, np.array([0.001])) == log_loss(wrong, np.array([0.0]))
    assert log_loss(right, np.array([0.0])) == 0
    assert log_loss(right, np.array([0.5])) == pytest.approx(np.log(2))
