"""The features of a batch are those that each model would compute by itself."""

from __future__ import annotations

import pytest
from scipy.sparse import csr_matrix

from models.classifier.features import COLUMNS, features
from models.classifier.place import Place, on_site
from models.classifier.rows import Rows
from models.classifier.sparse import Sparse

OWN = on_site(["https://paper.example"])
TEXTS = [
    "I read it twice.",
    "See https://paper.example/may and https://shop.example/may",
    "",
    "Only https://paper.example/may",
    "https://shop.example/",
]


def same(one: Sparse, other: csr_matrix) -> bool:
    return one.height == other.shape[0] and (one.matrix(COLUMNS) != other).nnz == 0


def test_a_base_model_reads_no_links_to_the_comments_own_place() -> None:
    assert same(Rows(TEXTS, [OWN] * 5).in_place, features(TEXTS, [OWN] * 5))


def test_a_sites_own_model_reads_all_links() -> None:
    assert same(Rows(TEXTS, [OWN] * 5).as_written, features(TEXTS))


def test_without_links_to_their_place_both_are_computed_once() -> None:
    rows = Rows(TEXTS, [Place()] * 5)
    assert rows.as_written is rows.in_place


@pytest.mark.parametrize("texts", [[], [""]])
def test_an_empty_batch_has_no_features(texts: list[str]) -> None:
    assert Rows(texts, [OWN] * len(texts)).as_written.height == len(texts)
