"""What labels brought: each model's held-out figures, and when to stop."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.records import Site, SiteModelRecord
from models.store.database import begin, reading
from service.sites.taught import Stage, Taught, taught
from tests.service.sites.test_model_versions import keep_model


@pytest.mark.parametrize(
    ("improved", "is_enough"),
    [
        ([], False),
        ([False, False], False),  # too few models to tell
        ([True, False, False, False], True),
        ([False, False, True], False),
        ([False, False, False, True], False),  # the latest helped again
    ],
)
def test_three_models_in_a_row_that_did_not_improve_are_enough(
    improved: list[bool], is_enough: bool
) -> None:
    stages = [Stage(25 * at, 0.5, 0.1, better) for at, better in enumerate(improved, 1)]
    assert Taught("spam", stages).is_enough is is_enough


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
    assert found[0].stages[0] == Stage(labels=50, found=0.9, held=0.1, improved=True)


def test_a_site_without_models_learned_nothing_yet(data: object) -> None:
    with reading() as session:
        assert taught(session, 1) == []
