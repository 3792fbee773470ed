"""The attributes of a model stand in its file, and a model may have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.classifier.attributes import Attributes
from models.classifier.features import COLUMNS, sparse_features, word_columns
from models.classifier.model import LinearModel
from models.classifier.text import read


def made() -> Attributes:
    weights = np.zeros((2, COLUMNS), np.float32)
    weights[1, word_columns(read("idiot"))[0]] = 12
    return Attributes(("threat", "insult"), weights, np.array([-3.0, -3.0]))


def test_attributes_are_read_from_the_models_file(tmp_path: Path) -> None:
    path = tmp_path / "base.npz"
    model = LinearModel(np.zeros(COLUMNS, np.float32), -1.0, ["en"], "abuse-1")
    model.save(path, made().arrays())
    assert LinearModel.load(path).version == "abuse-1"
    found = Attributes.load(path)
    assert found.names == ("threat", "insult")
    rows = sparse_features(["You idiot, idiot!", "A walk"])
    insult, walk = found.of_rows(rows)
    assert insult["insult"] > 0.5 > insult["threat"]
    assert walk == pytest.approx({"threat": 0.047, "insult": 0.047}, abs=0.001)


def test_a_model_without_attributes_has_none(tmp_path: Path) -> None:
    path = tmp_path / "base.npz"
    LinearModel(np.zeros(COLUMNS, np.float32), -1.0, ["en"]).save(path, Attributes().arrays())
    assert Attributes.load(path).of_rows(sparse_features(["A walk"])) == [{}]
