"""The base model's opinion, and the languages in which it has none."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from models.classifier.features import COLUMNS
from models.classifier.model import LinearModel
from models.classifier.opinion import can_judge, opinions
from models.classifier.place import Place

MODEL = LinearModel(
    np.random.default_rng(3).normal(size=COLUMNS).astype(np.float32),
    0.5,
    ["en", "ru"],
    acquainted=["de"],
)
NOWHERE = Place()


@pytest.mark.parametrize(
    ("language", "is_judged"),
    [
        ("en", True),
        ("ru", True),
        ("de", True),  # it learned a few examples
        ("id", False),
        ("", True),
        ("und", True),  # too short to detect: it is better to judge it than to let it pass
    ],
)
def test_it_judges_the_languages_that_it_learned(language: str, is_judged: bool) -> None:
    assert can_judge(MODEL, language) is is_judged


def test_comments_keep_their_order_around_those_that_are_not_judged() -> None:
    comments = [
        ("The ferry was late.", "en"),
        ("Kapal feri terlambat.", "id"),
        ("Buy pills.", "und"),
        ("Feri", "id"),
    ]

    found = opinions(MODEL, comments, NOWHERE)

    expected = MODEL.log_odds(["The ferry was late.", "Buy pills."], [NOWHERE, NOWHERE])
    assert found == [expected[0], None, expected[1], None]
    assert all(type(each) in {float, type(None)} for each in found)  # they are stored as JSON


def test_links_to_the_site_are_no_links() -> None:
    text = "See https://paper.example/harbour"

    [at_home] = opinions(MODEL, [(text, "en")], Place(site=["paper.example"]))
    [elsewhere] = opinions(MODEL, [(text, "en")], Place(site=["other.example"]))

    assert at_home != elsewhere


def test_no_comments_have_no_opinions() -> None:
    assert opinions(MODEL, [], NOWHERE) == []


def test_to_judge_takes_numpy_and_not_scipy() -> None:
    code = (
        "import sys, numpy as np\n"
        "from models.classifier.features import COLUMNS\n"
        "from models.classifier.model import LinearModel\n"
        "from models.classifier.opinion import opinions\n"
        "from models.classifier.place import Place\n"
        "model = LinearModel(np.zeros(COLUMNS, np.float32), 0.0, ['en'])\n"
        "print(opinions(model, [('Kapal', 'id'), ('A walk', 'en')], Place()), 'scipy' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "[None, 0.0] False\n"
