"""A model that holds more than was announced goes back by itself."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from models.classifier.model import base_model
from models.classifier.site_model import COLUMNS, TEXT_COLUMNS, SiteModel
from models.judgement.scores import SPAM
from models.records import Act, SiteScore
from models.records.site_score import KEPT, WATCHING, WENT_BACK, Held
from models.settling.site_scores import live_model, locked_score, make_live
from models.store.database import begin, now, reading
from service.moderation.news import news
from tests.worker.learning.stored import add_comment, add_model, change_demo, demo
from worker.learning import learner, watching
from worker.learning.learner import owe_judging
from worker.learning.training import learn

pytestmark = pytest.mark.usefixtures("data")
FEW = 20


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge a model after fewer comments."""
    monkeypatch.setattr(learner, "WATCHED", FEW)
    monkeypatch.setattr(watching, "WATCHED", FEW)


def new_model(*, holds_all: bool, announced: Held) -> str:
    """Make a model live that holds everything, or what the base model holds."""
    weights = np.zeros(COLUMNS, np.float32)
    weights[TEXT_COLUMNS] = 0.0 if holds_all else 1.0
    intercept = 5.0 if holds_all else 0.0
    packed = SiteModel(weights, intercept, ["en"], base_model().version, "site-new").packed()
    model = add_model(packed, version="site-new")
    with begin() as session:
        make_live(locked_score(session, demo().id, SPAM), model, announced)
    return model


def comments(count: int) -> None:
    for number in range(count):
        add_comment(f"The ferry was {number} minutes late again.", language="en")


def judged() -> SiteScore:
    """Let the learner judge the model that is live."""
    change_demo(learn_due=now(), learned_at=now() - timedelta(minutes=2))
    learn(demo().id)
    with reading() as session:
        return session.scalars(select(SiteScore).where(SiteScore.score == SPAM)).one()


NOTHING: Held = {"of": 100, "before": 0, "now": 0}


def test_a_model_that_holds_what_was_announced_stays() -> None:
    model = new_model(holds_all=False, announced=NOTHING)
    comments(FEW)

    found = judged()

    assert (found.model, found.watch) == (model, KEPT)
    assert found.watched == {"of": FEW, "before": 0, "now": 0}


def test_a_model_that_holds_more_than_was_announced_goes_back_and_says_so() -> None:
    new_model(holds_all=True, announced=NOTHING)
    comments(FEW)

    found = judged()

    assert (found.model, found.watch) == (None, WENT_BACK)
    assert found.watched == {"of": FEW, "before": 0, "now": FEW}
    with reading() as session:
        [act] = session.scalars(select(Act.what))
        [item] = news(session, [demo().id], reader="", since=None)
    assert act == (
        f"went back from the spam model site-new to base, because it held {FEW} of {FEW} new "
        "comments, and the previous one would have held 0"
    )
    assert item.text.startswith(f"The new spam model went back: it held {FEW} of {FEW}")


def test_what_was_announced_is_expected() -> None:
    model = new_model(holds_all=True, announced={"of": 100, "before": 0, "now": 98})
    comments(FEW)

    assert judged().model == model


def test_it_is_judged_only_after_enough_comments() -> None:
    new_model(holds_all=True, announced=NOTHING)
    comments(FEW - 1)
    owe_judging(now())
    assert demo().learn_due is None
    assert judged().watch == WATCHING

    comments(1)
    owe_judging(now())
    assert demo().learn_due is not None
    assert judged().watch == WENT_BACK


def test_a_model_that_an_owner_chose_is_not_watched() -> None:
    model = new_model(holds_all=True, announced=NOTHING)
    with begin() as session:
        in_use = locked_score(session, demo().id, SPAM)
        make_live(in_use, None)
        make_live(in_use, model)
    comments(FEW)

    assert judged().watch is None
    with reading() as session:
        assert live_model(session, demo().id, SPAM) == model
