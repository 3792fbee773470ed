"""The live model, whichever it is."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.model import base_model
from models.classifier.site_model import Seen
from models.identifiers import new_id
from models.store.database import reading
from tests.worker.learning.stored import add_model, packed_model
from worker.learning.champions import Champion, find_champion

pytestmark = pytest.mark.usefixtures("data")
COMMENTS = [Seen("Cheap pills", 2.0, {}), Seen("The ferry", -2.0, {}), Seen("Kapal", None, {})]
LANGUAGES = ["en", "en", "id"]


def champion(model_id: str | None) -> Champion:
    with reading() as session:
        return find_champion(session, model_id, base_model())


def test_without_a_site_model_the_base_model_is_the_champion() -> None:
    found = champion(None)

    assert found == Champion(None, base_model().version, frozenset())
    np.testing.assert_allclose(
        found.probabilities(COMMENTS, LANGUAGES), [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 0.5]
    )


def test_a_model_that_was_deleted_meanwhile_leaves_the_base_model() -> None:
    assert champion(new_id()).version == base_model().version


def test_the_sites_model_scores_and_knows_what_it_has_seen() -> None:
    seen = [new_id(), new_id()]
    found = champion(add_model(packed_model(weight=3.0), seen=seen))

    assert (found.version, found.seen) == ("site-aaaaaaaaaaaa", frozenset(seen))
    assert not found.is_unfit
    np.testing.assert_allclose(found.probabilities(COMMENTS, LANGUAGES)[:1], [1 / (1 + np.exp(-6))])


@pytest.mark.parametrize("weights", [b"damaged", packed_model(base="another-base")])
def test_a_model_that_does_not_fit_cannot_compete_but_has_seen_its_comments(weights: bytes) -> None:
    seen = [new_id()]
    found = champion(add_model(weights, seen=seen))

    assert found.is_unfit
    assert (found.model, found.seen) == (None, frozenset(seen))
    assert found.probabilities(COMMENTS, LANGUAGES)[2] == 0.5  # as the base model would


def test_no_comments_have_no_probabilities() -> None:
    assert champion(None).probabilities([], []).shape == (0,)
    assert champion(add_model(packed_model())).probabilities([], []).shape == (0,)


def test_in_a_language_that_the_sites_model_did_not_learn_the_base_model_keeps_its_say() -> None:
    found = champion(add_model(packed_model(weight=3.0)))

    own, foreign = found.probabilities(COMMENTS[:2], ["en", "de"])

    assert own == pytest.approx(1 / (1 + np.exp(-6)))
    assert foreign == pytest.approx(1 / (1 + np.exp(2)))
