"""Fitting the base model: a few sentences of our own are enough to see what it learns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.classifier.model import probability
from models.classifier.place import Place
from models.classifier.training.base_model import Untrainable, fit, places, platt, train
from models.classifier.training.corpus import Row
from tests.models.classifier.training.made_up_rows import few_rows


def test_a_trained_model_separates_its_training_texts() -> None:
    model = train(few_rows()).model
    spam, ham = model.probabilities(
        ["Buy cheap lamps at www.lamps.com", "I remember the old church in my street"]
    )

    assert spam > 0.8
    assert ham < 0.2
    assert model.languages == {"en"}


def test_a_handful_of_rows_is_too_few_to_learn_from() -> None:
    with pytest.raises(Untrainable, match="10 spam and 2 ham"):
        train(few_rows()[:12])


def test_training_twice_gives_the_same_model() -> None:
    one, other = train(few_rows()).model, train(few_rows()).model

    np.testing.assert_array_equal(one.weights, other.weights)


def test_repeats_change_nothing() -> None:
    shouted = [row._replace(text=row.text.upper() + "!!!") for row in few_rows()]

    once, often = train(few_rows()).model, train(few_rows() + shouted).model

    np.testing.assert_array_equal(once.weights, often.weights)


def test_a_source_of_little_weight_has_little_say() -> None:
    contrary = [
        row._replace(spam=not row.spam, source="noisy", text=f"{row.text} today")
        for row in few_rows()
    ]
    text = ["Buy cheap lamps at www.lamps.com today"]

    trusted, doubted = (
        train(few_rows() + contrary, {"noisy": weight}).model for weight in (1.0, 0.01)
    )

    assert doubted.log_odds(text)[0] > trusted.log_odds(text)[0]


def test_a_language_with_few_rows_does_not_count_as_seen() -> None:
    german = few_rows()[0]._replace(text="Nur heute billige Uhren", lang="de")
    model = train([*few_rows(), german]).model

    assert (model.languages, model.acquainted) == ({"en"}, frozenset())


def test_a_language_with_a_few_of_both_kinds_has_been_read_a_little() -> None:
    colours = ["red", "green", "blue", "grey", "black", "white"]
    english = [
        row._replace(text=f"{row.text} {colour}") for row in few_rows() for colour in colours
    ]
    german = [
        row._replace(text=f"{row.text} heute", lang="de")
        for row in (*few_rows()[:4], *few_rows()[-4:])
    ]
    model = train([*english, *german]).model

    assert (model.languages, model.acquainted) == ({"en"}, {"de"})


def test_a_missing_language_is_detected() -> None:
    assert train(few_rows(lang="")).model.languages == {"en"}


def test_calibration_finds_the_line_that_the_scores_were_bent_by() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=20_000)
    spam = random.random(20_000) < probability(truth)

    slope, shift = platt((truth - 0.5) / 3, spam, np.ones(20_000))

    assert slope == pytest.approx(3, rel=0.05)
    assert shift == pytest.approx(0.5, abs=0.05)


def test_the_held_out_scores_are_those_of_models_that_had_not_seen_the_row() -> None:
    contrary = few_rows()[0]._replace(text="Buy cheap zither now at www.zither.com", spam=False)
    trained = train([*few_rows(), contrary])

    own = trained.model.log_odds([contrary.text])[0]
    held_out = trained.held_out[trained.rows.index(contrary)]

    assert held_out > own  # without its own label, it looks even more like spam


def test_without_calibration_the_ranks_are_the_same_and_nothing_is_held_out() -> None:
    texts = [row.text for row in few_rows()]
    calibrated, plain = train(few_rows()), train(few_rows(), calibrated=False)

    np.testing.assert_array_equal(
        np.argsort(calibrated.model.log_odds(texts)), np.argsort(plain.model.log_odds(texts))
    )
    assert np.isnan(plain.held_out).all()


def test_a_thread_is_scored_by_models_that_saw_none_of_it() -> None:
    """Each thread has a word of its own that tells spam: it is worth nothing in another."""
    threads = [f"thread {number}" for number in range(5)]
    rows = [
        row._replace(text=f"{row.text.split()[-1]} {'zxq' if row.spam else 'wvk'}{at}", thread=name)
        for at, name in enumerate(threads)
        for row in few_rows()
    ]
    trained = train(rows)
    spam = np.array([row.spam for row in trained.rows])
    inside = trained.model.log_odds([row.text for row in trained.rows])

    assert (inside[spam].min()) > (inside[~spam].max())
    assert np.abs(trained.held_out).mean() < np.abs(inside).mean()


def test_the_progress_of_the_folds_can_be_watched() -> None:
    steps: list[object] = []

    def each(items: Iterable[int]) -> Iterator[int]:
        for item in items:
            steps.append(item)
            yield item

    train(few_rows(), each=each)

    assert steps == [0, 1, 2, 3, 4]


def test_a_link_to_the_own_page_teaches_nothing() -> None:
    page = "https://paper.example/harbour"
    linked = [
        row._replace(text=f"{row.text} {page}" if row.spam else row.text, thread="harbour")
        for row in few_rows()
    ]
    text = [f"I remember the old church {page}"]

    known = train(linked, pages={"harbour": [page]}).model
    unknown = train(linked).model

    assert known.log_odds(text, [Place(page=[page])])[0] < unknown.log_odds(text)[0]


def test_the_place_of_a_row_is_the_page_of_its_thread() -> None:
    rows = [Row("a", True, thread, "en", "own") for thread in ("harbour", "bridge", "")]

    assert places(rows, {"harbour": ["https://paper.example/harbour"]}) == [
        Place(page=["https://paper.example/harbour"]),
        None,
        None,
    ]
    assert places(rows, None) == [None, None, None]


def test_a_fit_is_a_line_through_the_columns() -> None:
    matrix = csr_matrix(np.eye(40, dtype=np.float32)[[33, 33, 34, 34]])
    spam = np.array([True, True, False, False])

    line = fit(matrix, spam, np.ones(4))

    assert line.weights[33] > 0 > line.weights[34]
    assert not line.weights[:33].any()  # columns that never occur
    np.testing.assert_allclose(line.scores(matrix), line.weights[[33, 33, 34, 34]] + line.intercept)


@pytest.mark.parametrize("distance", [0.5, 2.0, 5.0, 20.0])
def test_calibration_is_no_surer_than_so_few_rows_allow(distance: float) -> None:
    """Twelve rows of each kind, told apart perfectly: the surest probability is 13 in 14."""
    spam = np.array([True] * 12 + [False] * 12)
    spread = np.linspace(-0.1, 0.1, 12)
    scores = np.concatenate([distance + spread, -distance - spread])

    slope, shift = platt(scores, spam, np.ones(24))

    assert probability(np.array([slope * distance + shift]))[0] == pytest.approx(13 / 14, abs=1e-3)


def test_every_source_is_balanced_so_that_its_style_is_no_evidence() -> None:
    """A source with much spam and one with much ham, each with a word in all its rows."""
    spammy = [row._replace(text=f"{row.text} loud", source="spammy") for row in few_rows()]
    hammy = [row._replace(text=f"{row.text} calm", source="hammy") for row in few_rows()]
    rows = spammy[:10] + spammy[10:12] + hammy[:2] + hammy[10:]

    loud, calm = train(rows).model.log_odds(["loud", "calm"])

    assert abs(loud - calm) < 1.5
