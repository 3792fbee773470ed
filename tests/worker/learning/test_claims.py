"""Only one process at a time trains a site, and not too often."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.settings import settings
from models.settling.settling import LEARN_EVERY
from models.store.database import begin, now
from tests.worker.learning.stored import change_demo, demo
from worker.learning.claims import LEASE, RUNG, Claim, claim, give_back, is_due

pytestmark = pytest.mark.usefixtures("data")
LATE = timedelta(seconds=1)


def due(at: datetime | None = None, **columns: object) -> None:
    change_demo(learn_due=at or now(), **columns)


def claimed() -> Claim:
    found = claim(demo().id, now())
    assert found is not None
    return found


def test_a_site_with_nothing_to_learn_cannot_be_claimed() -> None:
    assert not is_due(demo().id)
    assert claim(demo().id, now()) is None


def test_a_claim_says_what_it_is_for() -> None:
    due(fresh_decisions=30)
    at = now()

    found = claim(demo().id, at)

    assert found == Claim(demo().id, "demo", at + LEASE, 30)
    assert demo().learn_due == at + LEASE


def test_only_the_first_of_two_gets_the_claim() -> None:
    due()

    assert claim(demo().id, now()) is not None
    assert claim(demo().id, now()) is None
    assert not is_due(demo().id)


def test_a_claim_whose_process_died_ends_with_its_lease() -> None:
    due()
    began = now()

    assert claim(demo().id, began) is not None
    assert claim(demo().id, began + LEASE - RUNG - LATE) is None
    assert claim(demo().id, began + LEASE) is not None


def test_the_sweeps_ring_moves_the_due_time_but_does_not_hide_the_site() -> None:
    due(now() + RUNG)

    assert is_due(demo().id)


def test_work_that_is_due_later_is_not_done_yet() -> None:
    due(now() + RUNG + timedelta(minutes=1))

    assert not is_due(demo().id)


def test_a_site_rests_between_two_trainings() -> None:
    due(learned_at=now() - timedelta(seconds=settings().learn_seconds / 2))
    assert not is_due(demo().id)
    assert claim(demo().id, now()) is None

    change_demo(learned_at=now() - timedelta(seconds=settings().learn_seconds + 1))
    assert is_due(demo().id)


def test_afterwards_the_decisions_that_were_learned_no_longer_count() -> None:
    due(fresh_decisions=30)
    claim_ = claimed()
    change_demo(fresh_decisions=34)  # four more during the training

    with begin() as session:
        give_back(session, claim_)

    site = demo()
    assert (site.fresh_decisions, site.learn_due) == (4, None)
    assert site.learned_at is not None


def test_with_many_decisions_meanwhile_the_next_training_is_due_at_once() -> None:
    due(fresh_decisions=30)
    claim_ = claimed()
    change_demo(fresh_decisions=30 + LEARN_EVERY)

    with begin() as session:
        give_back(session, claim_)

    site = demo()
    assert site.fresh_decisions == LEARN_EVERY
    assert site.learn_due is not None
    assert site.learn_due <= now()


def test_a_reason_to_train_that_arose_meanwhile_stays() -> None:
    """For example an erasure: the new model has seen the comment, too."""
    due(fresh_decisions=30)
    claim_ = claimed()
    erased_at = now() + timedelta(seconds=1)
    change_demo(learn_due=erased_at)

    with begin() as session:
        give_back(session, claim_)

    assert demo().learn_due == erased_at
