"""Training the abuse model on rows that are easy to tell apart."""

from pathlib import Path

import numpy as np
import pytest

from models.abuse.training.sources import KINDS
from models.abuse.training.training import (
    CALIBRATED,
    LEARNED,
    NEWS,
    NEWS_ONE_IN,
    OWN,
    REPORTED,
    Trained,
    _surely_highest_good,
    part,
    train,
)
from models.classifier.attributes import Attributes
from models.classifier.features import sparse_features
from models.classifier.model import LinearModel
from models.classifier.training.corpus import Row
from models.judgement.promises import fewest, interval
from tests.models.abuse.training.made_up import made_up_rows

ROWS = made_up_rows(1200)


@pytest.fixture(scope="module")
def trained() -> Trained:
    known = frozenset({"identity_attack", "profanity", "sexual"})
    others = [
        Row(
            f"{kind} words {name}", True, f"{kind} {name}", "en", "made up", kinds=frozenset({kind})
        )
        for kind in sorted(known)
        for name in "abcdefghijklmnopqrstuvwxyz"
    ]
    return train([*ROWS, *others])


def test_the_threshold_is_where_almost_no_good_comment_is_held(trained: Trained) -> None:
    reported = [
        row for row, name in zip(trained.rows, trained.parts, strict=True) if name == REPORTED
    ]
    held = trained.model.log_odds([row.text for row in reported]) > 0
    toxic = np.array([row.spam for row in reported])
    assert held[toxic].mean() > 0.9
    assert held[~toxic].mean() < 0.2


def test_the_file_holds_the_kinds_which_tell_threats_from_insults(
    trained: Trained, tmp_path: Path
) -> None:
    path = tmp_path / "base.npz"
    trained.model.save(path, trained.attributes.arrays())
    assert LinearModel.load(path).version == trained.model.version
    attributes = Attributes.load(path)
    assert attributes.names == KINDS
    threat, insult = attributes.of_rows(
        sparse_features(["I will kill you tonight, fool", "you are a stupid idiot"])
    )
    assert threat["threat"] > 0.5 > threat["insult"]
    assert insult["insult"] > 0.5 > insult["threat"]


def test_repeats_stay_in_one_part_and_our_own_sentences_are_learned() -> None:
    parts = {part(row) for row in ROWS}
    assert parts == {LEARNED, CALIBRATED, REPORTED}
    row = ROWS[0]
    assert part(row) == part(row._replace(text=row.text.upper() + "!"))
    assert {part(row._replace(source=OWN)) for row in ROWS} == {LEARNED}


@pytest.mark.parametrize(("good", "over"), [(100, 0), (340, 1), (1000, 11)])
def test_in_english_surely_at_most_one_good_news_comment_in_50_is_held(
    good: int, over: int
) -> None:
    rows = [Row(f"comment {number}", False, "", "en", NEWS) for number in range(good)]
    scores = np.arange(good, dtype=float)
    highest = _surely_highest_good(scores, rows)
    assert (scores > highest).sum() == over
    assert good < fewest(NEWS_ONE_IN) or interval(over, good).high <= 1 / NEWS_ONE_IN
