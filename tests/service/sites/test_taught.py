"""What labels brought: each model's held-out figures, and when to stop."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.records import Site, SiteModelRecord
from models.store.database import begin, reading
from service.sites.taught import Stage, Taught, taught
from tests.service.sites.test_model_versions import keep_model


@pytest.mark.parametrize(
    ("found", "is_enough"),
    [
        ([], False),
        ([0.5, 0.5, 0.5], False),  # too few models to tell
        ([0.5, 0.5, 0.5, 0.5], True),
        ([0.5, 0.7, 0.7, 0.705, 0.69], True),
        ([0.5, 0.5, 0.5, 0.6], False),  # the latest helped again
        ([0.5, 0.6, 0.4, 0.5], False),  # one of the last three helped
    ],
)
def test_three_models_in_a_row_that_are_no_better_are_enough(
    found: list[float], is_enough: bool
) -> None:
    stages = [Stage(25 * at, share, held=0.1) for at, share in enumerate(found, 1)]
    assert Taught("spam", stages).is_enough is is_enough


def test_a_model_that_holds_less_good_comments_is_better() -> None:
    held = (0.2, 0.2, 0.1, 0.1)
    stages = [Stage(25 * at, 0.5, share) for at, share in enumerate(held, 1)]
    assert not Taught("spam", stages).is_enough


def test_the_figures_come_from_the_cards_by_score(data: object) -> None:
    keep_model("site-aaaaaaaaaaaa")
    keep_model("site-bbbbbbbbbbbb")
    abuse = keep_model("site-cccccccccccc")
    with begin() as session:
        is_abuse = SiteModelRecord.id == abuse
        session.execute(update(SiteModelRecord).where(is_abuse).values(score="abuse"))
    with reading() as session:
        site_id = session.query(Site.id).scalar()
        found = taught(session, site_id)
    assert [(each.score, len(each.stages)) for each in found] == [("spam", 2), ("abuse", 1)]
    assert found[0].stages[0] == Stage(labels=50, found=0.9, held=0.1)


def test_a_site_without_models_learned_nothing_yet(data: object) -> None:
    with reading() as session:
        assert taught(session, 1) == []
