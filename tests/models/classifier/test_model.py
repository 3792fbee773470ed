"""The model that ships with Greenroom, and models made from a few sentences of our own."""

import json
import pickle
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from models.classifier.explanation import explain
from models.classifier.features import COLUMNS, COUNTED_COLUMNS, LAYOUT, features, sparse_features
from models.classifier.file import BASE
from models.classifier.model import (
    CountsAlone,
    LinearModel,
    UnusableModel,
    base_model,
    probability,
)
from models.classifier.place import Place
from models.classifier.training.base_model import train
from tests.models.classifier.training.made_up_rows import few_rows

RECORDED = Path(__file__).with_name("base_scores.json")


def test_the_card_describes_the_file_that_ships() -> None:
    card = json.loads(BASE.with_suffix(".json").read_text(encoding="utf-8"))
    data = BASE.read_bytes()

    assert card["sha256"] == sha256(data).hexdigest()
    assert card["bytes"] == len(data) <= 3_000_000
    assert card["version"] == base_model().version
    assert set(card["languages"]) == base_model().languages == {"en", "ru"}
    assert (
        set(card["acquainted"])
        == base_model().acquainted
        == {"de", "es", "fr", "it", "nl", "pl", "pt"}
    )


def test_the_scores_are_those_recorded_before_the_file_format_changed() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    texts = [line["text"] for line in recorded["scores"]]
    places = [Place(page=line["page"]) if line["page"] else None for line in recorded["scores"]]

    assert base_model().version == recorded["version"]
    np.testing.assert_allclose(
        base_model().log_odds(texts, places),
        [line["log_odds"] for line in recorded["scores"]],
        rtol=0,
        atol=1e-5,  # the features are float32
    )


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


def test_a_saved_model_scores_as_before_and_keeps_its_name(tmp_path: Path) -> None:
    model = train(few_rows()).model
    path = tmp_path / "new" / "model.npz"
    model.save(path)

    again = LinearModel.load(path)

    assert again.version == model.version
    assert again.languages == model.languages
    assert again.acquainted == model.acquainted
    np.testing.assert_array_equal(
        again.log_odds(["Buy cheap lamps"]), model.log_odds(["Buy cheap lamps"])
    )
    assert [file.name for file in path.parent.iterdir()] == ["model.npz"]


def test_saving_the_same_model_twice_gives_the_same_bytes() -> None:
    model = base_model()

    assert model.to_bytes() == BASE.read_bytes()
    assert LinearModel.from_bytes(model.to_bytes(), "a copy").to_bytes() == model.to_bytes()


def test_a_model_is_named_after_everything_it_learned() -> None:
    weights = np.zeros(COLUMNS, np.float32)
    other_weights = weights.copy()
    other_weights[7] = 1e-3
    models = [
        LinearModel(weights, 0.0, ["en"]),
        LinearModel(other_weights, 0.0, ["en"]),
        LinearModel(weights, 0.5, ["en"]),
        LinearModel(weights, 0.0, ["en", "ru"]),
        LinearModel(weights, 0.0, ["en"], acquainted=["ru"]),
    ]

    assert len({model.version for model in models}) == len(models)
    assert LinearModel(weights.copy(), 0.0, ["en"]).version == models[0].version
    assert all(len(model.version) == 12 for model in models)


def arrays(**changed: object) -> bytes:
    """Return a model file with some arrays changed; None leaves an array out."""
    content = {
        "layout": LAYOUT,
        "version": "abc",
        "weights": np.zeros(COLUMNS, np.float32),
        "intercept": 0.0,
        "languages": np.array(["en"]),
        "acquainted": np.array([], dtype=str),
    } | changed
    file = BytesIO()
    np.savez(file, **{name: value for name, value in content.items() if value is not None})
    return file.getvalue()


def test_a_file_of_the_right_arrays_is_a_model() -> None:
    model = LinearModel.from_bytes(arrays(), "model.npz")

    assert (model.version, model.languages, model.acquainted) == ("abc", {"en"}, frozenset())


def one_array() -> bytes:
    file = BytesIO()
    np.save(file, np.zeros(COLUMNS, np.float32))
    return file.getvalue()


def zip_of_json() -> bytes:
    """Return a file as earlier versions of Greenroom wrote it."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", "{}")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a model",
        pickle.dumps({"layout": LAYOUT}),
        one_array(),
        zip_of_json(),
        BASE.read_bytes()[:100_000],
        arrays(layout=None),
        arrays(version=None),
        arrays(weights=None),
        arrays(weights=np.zeros((1, COLUMNS), np.float32)),
        arrays(weights=np.zeros(COLUMNS - 1, np.float32)),
        arrays(weights=np.zeros(COLUMNS, np.int64)),
        arrays(weights=np.full(COLUMNS, np.nan, np.float32)),
        arrays(weights=np.array([Path("/")] * COLUMNS)),
        arrays(intercept=np.zeros(2)),
        arrays(counts_weights=np.zeros(3), counts_intercept=0.0),
        arrays(counts_weights=np.full(COUNTED_COLUMNS, np.nan), counts_intercept=0.0),
        arrays(languages=np.array([Path("/")])),
    ],
)
def test_a_file_that_is_not_a_model_is_refused_with_what_to_do(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(data)

    with pytest.raises(UnusableModel, match=r"model\.npz is not a spam model: .*greenroom train"):
        LinearModel.load(path)


def test_a_pickle_in_a_file_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    file = arrays(languages=np.array([Trap()], dtype=object))

    with pytest.raises(UnusableModel):
        LinearModel.from_bytes(file, "model.npz")
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LinearModel.load(tmp_path / "none.npz")


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(UnusableModel, match="for features 1, but this release has 3: train it"):
        LinearModel.from_bytes(arrays(layout=1), "model.npz")


def test_a_model_keeps_what_it_learned_of_counts(tmp_path: Path) -> None:
    counts = CountsAlone(np.arange(COUNTED_COLUMNS) / 8, -1.5)
    weights = np.zeros(COLUMNS, np.float32)
    model = LinearModel(weights, 0.0, ["en"], counts_alone=counts)
    model.save(tmp_path / "model.npz")

    kept = LinearModel.load(tmp_path / "model.npz").counts_alone

    assert kept is not None
    np.testing.assert_array_equal(kept.weights, counts.weights)
    rows = sparse_features(["see example.com", "a walk"])
    np.testing.assert_allclose(kept.of_rows(rows), counts.of_rows(rows))
    assert model.version != LinearModel(weights, 0.0, ["en"]).version


def test_scoring_does_not_import_scikit_learn() -> None:
    code = (
        "import sys; from models.classifier.model import base_model; base_model().log_odds(['text']); "
        "print('sklearn' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "False\n"


def test_the_classifier_is_as_wide_as_the_features() -> None:
    assert base_model().weights.shape == (COLUMNS,)


def test_a_shift_moves_the_scores_of_one_language_and_is_stored(tmp_path: Path) -> None:
    weights = np.ones(COLUMNS, np.float32)
    plain = LinearModel(weights, 0.0, ["en", "ko"])
    shifted = LinearModel(weights, 0.0, ["en", "ko"], shifts={"ko": -2.0})
    assert shifted.version != plain.version
    shifted.save(tmp_path / "base.npz")
    loaded = LinearModel.load(tmp_path / "base.npz")
    assert (loaded.version, loaded.shifts) == (shifted.version, {"ko": -2.0})
    scores = loaded.log_odds(["hello", "hello"], languages=["en", "ko"])
    assert scores[0] - scores[1] == pytest.approx(2.0)
    assert explain(loaded, "hello", language="ko").log_odds == pytest.approx(scores[1])
