"""The card of a site's new model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.classifier.site_card import SiteCard
from models.classifier.site_model import SiteModel
from models.classifier.training.site_model import FEWEST_COMPARED, Comparison, SiteTrained
from models.identifiers import new_id
from models.judgement.scores import SPAM
from models.settling.labels import Decided
from models.store.database import now, reading
from tests.worker.learning.stored import add_comment, add_model, demo, packed_model
from worker.learning import recent, site_cards
from worker.learning.champions import Champion
from worker.learning.claims import Claim
from worker.learning.outcomes import Training
from worker.learning.site_cards import erased_comments, make_card

pytestmark = pytest.mark.usefixtures("data")
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODEL = SiteModel.unpacked(packed_model())
WON = Comparison(30, 0.2, 0.4, "by cross-validation")


def decided(*kinds: bool, ids: list[str] | None = None) -> list[Decided]:
    """A decision per day, True for a rejection."""
    ids = ids or [new_id() for _ in kinds]
    return [
        Decided(comment, {SPAM: bad}, MONDAY + timedelta(days=day), "text", "en", {})
        for day, (comment, bad) in enumerate(zip(ids, kinds, strict=True))
    ]


def training(
    decisions: list[Decided],
    *,
    held_out: list[float] | None = None,
    result: Comparison = WON,
    must_replace: bool = False,
) -> Training:
    probabilities = np.array(held_out or [0.5] * len(decisions))
    claimed = Claim(demo().id, "demo", now(), 0)
    champion = Champion(None, "0123456789ab", frozenset())
    trained = SiteTrained(MODEL, probabilities, csr_matrix((len(decisions), 1)))
    return Training(SPAM, claimed, champion, trained, decisions, result, must_replace)


def carded(made: Training) -> SiteCard:
    with reading() as session:
        return make_card(session, made, b"packed")


def test_it_says_what_the_model_is_and_which_it_replaces() -> None:
    card = carded(training(decided(True, False)))

    assert (card["version"], card["base"], card["parent"]) == (
        MODEL.version,
        MODEL.base,
        "0123456789ab",
    )
    assert (card["sha256"], card["bytes"]) == (sha256(b"packed").hexdigest(), 6)
    assert card["languages"] == ["en"]


def test_it_counts_the_decisions_and_says_when_they_were_made() -> None:
    assert carded(training(decided(True, False, True)))["decisions"] == {
        "rejected": 2,
        "approved": 1,
        "first": "2026-11-23T12:00:00+00:00",
        "last": "2026-11-25T12:00:00+00:00",
    }


def test_figures_are_shares_of_each_kind() -> None:
    kinds = (True, True, True, False, False)
    card = carded(training(decided(*kinds), held_out=[0.9, 0.5, 0.4, 0.6, 0.1]))

    assert card["figures"] == {"rejected found": 0.6667, "approved held": 0.5}


def test_the_comparison_names_its_measure() -> None:
    assert carded(training(decided(True, False)))["compared"] == {
        "rows": 30,
        "challenger": 0.2,
        "champion": 0.4,
        "how": "by cross-validation",
        "measure": "log loss",
    }


@pytest.mark.parametrize(
    ("result", "must_replace", "goes_live", "why"),
    [
        (WON, False, True, "better than the previous model by cross-validation"),
        (
            WON._replace(challenger=0.4),
            False,
            True,
            "as good as the previous model by cross-validation",
        ),
        (
            WON._replace(challenger=0.5),
            False,
            False,
            "worse than the previous model by cross-validation",
        ),
        (
            Comparison(FEWEST_COMPARED - 1, 0.5, 0.4, "on the newest"),  # too few to tell
            False,
            True,
            "worse than the previous model on the newest, but by too few comments to tell",
        ),
        (
            Comparison(0, 0.0, 0.0, "on the newest"),
            False,
            True,
            (
                "no randomly chosen comment has been decided yet, and it would hold hardly more "
                "published comments than the previous model"
            ),
        ),
        (
            WON._replace(challenger=0.5),
            True,
            True,
            "the previous model had learned from a comment that was erased",
        ),
    ],
)
def test_it_says_why_the_model_went_live_or_did_not(
    result: Comparison, must_replace: bool, goes_live: bool, why: str
) -> None:
    card = carded(training(decided(True, False), result=result, must_replace=must_replace))

    assert (card["went live"], card["why"]) == (goes_live, why)


def test_a_first_model_has_lost_no_comments() -> None:
    assert "left" not in carded(training(decided(True, False)))


def test_a_model_that_has_seen_all_of_the_one_before_has_lost_none() -> None:
    decisions = decided(True, False)
    add_model(b"", seen=[decisions[0].comment])

    assert "left" not in carded(training(decisions))


def test_lost_comments_were_erased_or_their_decision_was_undone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site_cards, "MOST_NAMED", 2)
    erased = add_comment("Erased.", status="deleted", erased_at=now())
    undone, another = add_comment("Undone."), add_comment("Undone, too.")
    add_model(b"", version="site-older", seen=[new_id()])
    add_model(b"", version="site-newest", seen=[erased, undone, another])

    assert carded(training(decided(True, False))).get("left") == {
        "last seen by": "site-newest",
        "count": 3,
        "comments": [
            {"comment": erased, "why": "erased"},
            {"comment": undone, "why": "undone"},
        ],
    }


def test_erased_comments_are_found_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "AT_ONCE", 2)
    kept = [add_comment(f"Kept {number}.") for number in range(3)]
    erased = [add_comment("", status="deleted", erased_at=now()) for _ in range(2)]

    with reading() as session:
        assert erased_comments(session, [*kept, *erased, new_id()]) == set(erased)
        assert erased_comments(session, []) == set()
