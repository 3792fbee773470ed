"""A site's own model: what it sees of a comment, and its packed bytes."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest

from models.classifier import context
from models.classifier.features import COLUMNS as WIDE
from models.classifier.features import COUNTED_COLUMNS, features
from models.classifier.model import UnusableModel
from models.classifier.site_model import (
    COLUMNS,
    FORMAT,
    TEXT_COLUMNS,
    Seen,
    SiteModel,
    matrix,
    opinion,
)

SEEN = [
    Seen("The ferry was late again.", -2.5, {context.TAKEN: context.EDITION, "links away": 0}),
    Seen("Cheap pills at www.pills.example", 4.0, {}),
    Seen("Kapal feri terlambat lagi.", None, {}),
]


def made_up(seed: int = 1) -> SiteModel:
    random = np.random.default_rng(seed)
    weights = random.normal(size=COLUMNS).astype(np.float32)
    weights[random.random(COLUMNS) < 0.9] = 0
    return SiteModel(weights, -0.25, ["id", "en"], "0123456789ab", "site-abcdef012345")


def test_a_row_has_the_text_then_the_opinion_then_the_counts() -> None:
    rows = matrix(SEEN)

    assert rows.shape == (3, COLUMNS)
    assert rows.dtype == np.float32
    assert rows[:, TEXT_COLUMNS : TEXT_COLUMNS + 2].toarray().tolist() == [
        [-2.5, 0],
        [4, 0],
        [0, 1],
    ]
    np.testing.assert_array_equal(
        rows[:, TEXT_COLUMNS + 2 :].toarray(), context.columns([seen.context for seen in SEEN])
    )


def test_the_text_is_folded_onto_fewer_columns_and_nothing_is_lost() -> None:
    wide, rows = features([seen.text for seen in SEEN]), matrix(SEEN)

    np.testing.assert_allclose(rows[:, :TEXT_COLUMNS].sum(axis=1), wide.sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(
        rows[:, :COUNTED_COLUMNS].toarray(), wide[:, :COUNTED_COLUMNS].toarray()
    )


def test_the_wide_weights_score_a_text_as_the_folded_ones_do() -> None:
    model = made_up()
    weights = model.text_weights()
    folded = matrix(SEEN)[:, :TEXT_COLUMNS] @ model.weights[:TEXT_COLUMNS].astype(float)

    assert weights.shape == (WIDE,)
    np.testing.assert_allclose(features([seen.text for seen in SEEN]) @ weights, folded, atol=1e-5)


@pytest.mark.parametrize(
    ("log_odds", "values"),
    [
        (None, (0, 1)),
        (0.0, (0, 0)),
        (-3.5, (-3.5, 0)),
        (20.0, (8, 0)),  # being surer than e^8 to 1 is no stronger evidence
        (-20.0, (-8, 0)),
    ],
)
def test_no_opinion_differs_from_an_opinion_of_zero(
    log_odds: float | None, values: tuple[float, float]
) -> None:
    assert opinion(log_odds) == values


def test_log_odds_are_the_intercept_and_the_share_of_each_column() -> None:
    model = made_up()

    np.testing.assert_allclose(
        model.log_odds(SEEN), matrix(SEEN).toarray().astype(float) @ model.weights - 0.25, rtol=1e-6
    )
    assert model.log_odds([]).shape == (0,)
    np.testing.assert_allclose(
        model.probabilities(SEEN), 1 / (1 + np.exp(-model.log_odds(SEEN))), rtol=1e-9
    )


def test_a_score_does_not_depend_on_the_batch() -> None:
    model = made_up()
    alone = [float(model.log_odds([seen])[0]) for seen in SEEN]

    np.testing.assert_allclose(model.log_odds(SEEN), alone, rtol=1e-12)


def test_an_unpacked_model_is_the_one_that_was_packed() -> None:
    model = made_up()
    again = SiteModel.unpacked(model.packed())

    np.testing.assert_array_equal(again.weights, model.weights)
    assert (again.intercept, again.languages) == (-0.25, {"en", "id"})
    assert (again.base, again.version) == ("0123456789ab", "site-abcdef012345")
    np.testing.assert_array_equal(again.log_odds(SEEN), model.log_odds(SEEN))


def test_a_model_of_one_word_is_small() -> None:
    weights = np.zeros(COLUMNS, np.float32)
    weights[COLUMNS - 1] = 0.5
    model = SiteModel(weights, 0.0, [], "base")

    assert len(model.packed()) < 3_000
    assert SiteModel.unpacked(model.packed()).languages == frozenset()


def changed(**arrays: object) -> bytes:
    """Return a packed model with some arrays changed; None leaves one out."""
    with np.load(BytesIO(made_up().packed())) as packed:
        content = dict(packed) | arrays
    file = BytesIO()
    np.savez(file, **{name: value for name, value in content.items() if value is not None})
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a model",
        b"PK\x03\x04 and no more",
        b"PK\x05\x06" + bytes(18),  # an empty zip
        made_up().packed()[:200],
        changed(format=None),
        changed(columns=np.array([COLUMNS])),
        changed(columns=np.array([1]), weights=np.array([1.0, 2.0])),
        changed(intercept=np.array(["x"])),
        changed(languages=np.array([{"en"}])),
    ],
)
def test_damaged_bytes_are_an_unusable_model(data: bytes) -> None:
    with pytest.raises(UnusableModel, match="not a site's model"):
        SiteModel.unpacked(data)


def test_a_model_of_another_format_is_refused() -> None:
    with pytest.raises(
        UnusableModel,
        match=re.escape(f"made for feature format 1.1, but this release has {FORMAT}"),
    ):
        SiteModel.unpacked(changed(format="1.1"))
