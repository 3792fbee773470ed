"""The models of sites that a worker keeps in memory."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from models import caches
from models.classifier.site_model import SiteModel
from models.identifiers import new_id
from models.judgement.policy import Policy
from models.judgement.scores import ABUSE, SPAM
from models.records import SiteModelRecord
from models.store.database import begin, reading
from tests.worker.learning.stored import add_model, packed_model
from worker.learning.models_in_memory import learned, with_promises

pytestmark = pytest.mark.usefixtures("data")
SCORES = {"good": [0.1] * 100 + [0.6] * 100, "spam": [0.9] * 40}
PROMISED = Policy.model_validate({"promises": {"good_held_back_one_in": 20}})


def found(model_id: str | None) -> SiteModel | None:
    with reading() as session:
        return learned(session, model_id)


def promised(policy: Policy, model_id: str | None) -> Policy:
    with reading() as session:
        return with_promises(session, policy, {SPAM: model_id} if model_id else {})


def test_a_site_without_a_model_has_none() -> None:
    assert found(None) is None
    assert found(new_id()) is None


def test_a_model_is_found_by_its_id() -> None:
    model = found(add_model(packed_model(), scores=SCORES))

    assert model is not None
    assert model.version == "site-aaaaaaaaaaaa"


def test_a_model_is_read_once() -> None:
    model_id = add_model(packed_model())
    first = found(model_id)
    with begin() as session:
        session.execute(delete(SiteModelRecord))

    assert found(model_id) is first
    caches.forget()
    assert found(model_id) is None


def test_a_new_model_has_another_id_and_counts_at_once() -> None:
    first, second = (
        add_model(packed_model(version), version=version) for version in ("site-a", "site-b")
    )

    versions = [model.version for id_ in (first, second) if (model := found(id_))]
    assert versions == ["site-a", "site-b"]


@pytest.mark.parametrize("weights", [b"", b"damaged", packed_model()[:100]])
def test_a_model_that_cannot_be_read_leaves_the_base_model(weights: bytes) -> None:
    assert found(add_model(weights)) is None


def test_a_policy_without_promises_keeps_its_thresholds() -> None:
    assert promised(Policy(), None) == Policy()
    assert promised(Policy(), add_model(packed_model(), scores=SCORES)) == Policy()


def test_a_promise_is_kept_with_the_models_own_threshold() -> None:
    model_id = add_model(packed_model(), scores=SCORES)

    assert promised(PROMISED, model_id).spam.flag_above == pytest.approx(0.6001)
    assert promised(PROMISED, None).spam.flag_above == PROMISED.spam.flag_above


def test_the_threshold_follows_a_change_of_the_promise() -> None:
    """At 5 % of good comments above .6, one in ten is kept surely, and one in twenty is not."""
    good = [0.1] * 100 + [0.6] * 90 + [0.8] * 10
    model_id = add_model(packed_model(), scores={"good": good, "spam": [0.9] * 40})
    one_in_ten = Policy.model_validate({"promises": {"good_held_back_one_in": 10}})

    assert promised(one_in_ten, model_id).spam.flag_above == pytest.approx(0.6001)
    assert promised(PROMISED, model_id).spam.flag_above == pytest.approx(0.8001)


def test_an_unreadable_model_promises_what_the_base_model_can() -> None:
    assert promised(PROMISED, add_model(b"damaged", scores=SCORES)) == promised(PROMISED, None)


def test_models_of_two_scores_keep_the_promise_together() -> None:
    ids = [str(number) for number in range(200)]
    spam = add_model(packed_model("site-s"), version="site-s", scores={**SCORES, "good_ids": ids})
    abuse = add_model(
        packed_model("site-a"), version="site-a", scores={**SCORES, "good_ids": ids[::-1]}
    )
    with reading() as session:
        policy = with_promises(session, PROMISED, {SPAM: spam, ABUSE: abuse})
    assert (policy.spam.flag_above, policy.abuse.flag_above) == (0.6001, 0.6001)
