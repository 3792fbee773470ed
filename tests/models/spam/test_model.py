"""The model that ships, and models made from a few sentences of our own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from models.settings import settings
from models.spam.features import COLUMNS, LAYOUT, features
from models.spam.file import BASE, model_path
from models.spam.model import SpamModel, UnusableModel, base_model, probability
from models.spam.training.base_model import Untrainable, platt, train
from models.spam.training.corpus import Row

GOODS = [
    "watches",
    "pills",
    "followers",
    "shoes",
    "loans",
    "essays",
    "bonuses",
    "tickets",
    "handbags",
    "coins",
]
THINGS = [
    "bridge",
    "harbour",
    "library",
    "market",
    "school",
    "ferry",
    "hospital",
    "museum",
    "garden",
    "station",
]


def rows(source: str = "own", lang: str = "en") -> list[Row]:
    spam = [
        Row(f"Buy cheap {goods} now at www.{goods}.com", True, "", lang, source) for goods in GOODS
    ]
    return spam + [
        Row(f"I remember the old {thing} in my street", False, "", lang, source) for thing in THINGS
    ]


@pytest.fixture
def _settings_anew() -> Iterator[None]:
    settings.cache_clear()
    base_model.cache_clear()
    yield
    settings.cache_clear()
    base_model.cache_clear()


def test_the_card_describes_the_file_that_ships() -> None:
    card = json.loads(BASE.with_suffix(".json").read_text(encoding="utf-8"))
    data = BASE.read_bytes()

    assert card["sha256"] == sha256(data).hexdigest()
    assert card["bytes"] == len(data) <= 3_000_000
    assert card["version"] == base_model().version == card["sha256"][:12]
    assert set(card["languages"]) == base_model().languages == {"en", "ru"}
    assert (
        set(card["acquainted"])
        == base_model().acquainted
        == {"de", "es", "fr", "it", "nl", "pl", "pt"}
    )


def test_the_file_holds_no_type_that_would_have_to_be_trusted() -> None:
    assert skops.io.get_untrusted_types(file=BASE) == []


def test_log_odds_are_the_intercept_and_each_columns_share() -> None:
    texts = ["check out my channel", "What a fine bridge"]
    model = base_model()

    shares = features(texts).multiply(model.weights).sum(axis=1).A1 + model.intercept

    np.testing.assert_allclose(base_model().log_odds(texts), shares, rtol=1e-5)


def test_probabilities_are_the_log_odds_said_otherwise() -> None:
    texts = ["check out my channel", "What a fine bridge"]

    odds = np.exp(base_model().log_odds(texts))

    np.testing.assert_allclose(base_model().probabilities(texts), odds / (1 + odds))
    assert probability(np.array([-1e6, 0, 1e6])).tolist() == [0, 0.5, 1]


def test_a_score_does_not_depend_on_the_company() -> None:
    texts = ["check out my channel", "What a fine bridge", ""] * 500
    scores = base_model().log_odds(texts)

    assert scores.shape == (1500,)
    np.testing.assert_allclose(scores[:3], [base_model().log_odds([text])[0] for text in texts[:3]])
    assert base_model().log_odds([]).shape == (0,)


def test_a_trained_model_tells_apart_what_it_was_shown() -> None:
    model = train(rows()).model
    spam, ham = model.probabilities(
        ["Buy cheap lamps at www.lamps.com", "I remember the old church in my street"]
    )

    assert spam > 0.8
    assert ham < 0.2
    assert model.languages == {"en"}


def test_a_saved_model_scores_as_before_and_is_named_after_its_bytes(tmp_path: Path) -> None:
    model = train(rows()).model
    path = tmp_path / "new" / "model.skops"
    model.save(path)

    again = SpamModel.load(path)

    assert again.version == model.version == sha256(path.read_bytes()).hexdigest()[:12]
    assert again.languages == model.languages
    assert again.acquainted == model.acquainted
    np.testing.assert_array_equal(
        again.log_odds(["Buy cheap lamps"]), model.log_odds(["Buy cheap lamps"])
    )
    assert [file.name for file in path.parent.iterdir()] == ["model.skops"]


@pytest.mark.usefixtures("_settings_anew")
def test_another_model_can_be_named_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(rows()).model
    model.save(tmp_path / "own.skops")
    monkeypatch.setenv("GREENROOM_SPAM_MODEL", str(tmp_path / "own.skops"))

    assert model_path() == tmp_path / "own.skops"
    assert base_model().version == model.version


def test_a_file_that_is_no_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(b"not a model")

    with pytest.raises(UnusableModel, match="`greenroom train` writes one"):
        SpamModel.load(path)


@pytest.mark.parametrize(
    "weights", [Path("/"), np.zeros((1, 3)), np.zeros((2, COLUMNS)), np.array([[Path("/")]]), [1.0]]
)
def test_weights_that_are_no_row_of_numbers_for_the_columns_are_refused(
    tmp_path: Path, weights: object
) -> None:
    path, classifier = tmp_path / "model.skops", LogisticRegression()
    classifier.coef_, classifier.intercept_ = weights, np.zeros(1)
    skops.io.dump({"layout": LAYOUT, "languages": [], "classifier": classifier}, path)

    with pytest.raises(UnusableModel, match="no spam model"):
        SpamModel.load(path)


def test_to_read_a_model_takes_neither_skops_nor_scikit_learn_and_gives_what_they_would_read() -> (
    None
):
    code = (
        "import sys; from models.spam.model import base_model; base_model().log_odds(['text']); "
        "print(sorted({'sklearn', 'skops'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "[]\n"
    read = skops.io.load(BASE, trusted=[])
    np.testing.assert_array_equal(base_model().weights, read["classifier"].coef_[0])
    assert base_model().intercept == read["classifier"].intercept_[0]
    assert base_model().languages == set(read["languages"])


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump({"layout": 0, "languages": [], "classifier": LogisticRegression()}, path)

    with pytest.raises(UnusableModel, match="train it again"):
        SpamModel.load(path)


def test_a_handful_of_rows_is_too_few_to_learn_from() -> None:
    with pytest.raises(Untrainable, match="10 spam and 2 ham"):
        train(rows()[:12])


def test_training_twice_gives_the_same_model() -> None:
    one, other = train(rows()).model, train(rows()).model

    np.testing.assert_array_equal(one.weights, other.weights)


def test_repeats_change_nothing() -> None:
    shouted = [row._replace(text=row.text.upper() + "!!!") for row in rows()]

    once, often = train(rows()).model, train(rows() + shouted).model

    np.testing.assert_array_equal(once.weights, often.weights)


def test_a_source_of_little_weight_has_little_say() -> None:
    contrary = [
        row._replace(spam=not row.spam, source="noisy", text=f"{row.text} today") for row in rows()
    ]
    text = ["Buy cheap lamps at www.lamps.com today"]

    trusted, doubted = (train(rows() + contrary, {"noisy": weight}).model for weight in (1.0, 0.01))

    assert doubted.log_odds(text)[0] > trusted.log_odds(text)[0]


def test_a_language_with_few_rows_does_not_count_as_seen() -> None:
    german = rows()[0]._replace(text="Nur heute billige Uhren", lang="de")
    model = train([*rows(), german]).model

    assert (model.languages, model.acquainted) == ({"en"}, frozenset())


def test_a_language_with_a_few_of_both_kinds_has_been_read_a_little() -> None:
    colours = ["red", "green", "blue", "grey", "black", "white"]
    english = [row._replace(text=f"{row.text} {colour}") for row in rows() for colour in colours]
    german = [
        row._replace(text=f"{row.text} heute", lang="de") for row in (*rows()[:4], *rows()[-4:])
    ]
    model = train([*english, *german]).model

    assert (model.languages, model.acquainted) == ({"en"}, {"de"})


def test_a_language_nobody_wrote_down_is_detected() -> None:
    assert train(rows(lang="")).model.languages == {"en"}


def test_calibration_finds_the_line_that_the_scores_were_bent_by() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=20_000)
    spam = random.random(20_000) < probability(truth)

    slope, shift = platt((truth - 0.5) / 3, spam, np.ones(20_000))

    assert slope == pytest.approx(3, rel=0.05)
    assert shift == pytest.approx(0.5, abs=0.05)


def test_the_classifier_is_as_wide_as_the_features() -> None:
    assert base_model().weights.shape == (COLUMNS,)
