"""The measurement of the teaching queue: half of a source is tested, the other half is labelled."""

from __future__ import annotations

from random import Random

import pytest

from models.classifier.training import teaching
from models.classifier.training.corpus import Row
from models.classifier.training.teaching import gains
from tests.models.classifier.training.made_up_rows import rows

WORDS = ("ferry", "bridge", "market", "library", "theatre", "tram", "school", "garden")
WARES = ("casino", "jackpot", "slots", "roulette", "poker", "bets", "spins", "bonus")


def site_rows(count: int = 400, source: str = "site") -> list[Row]:
    """Return comments of which one in twenty is spam of a kind that no other source has."""
    chance = Random(1)
    made = []
    for number in range(count):
        is_spam = number % 20 == 0
        some = chance.sample(WARES if is_spam else WORDS, 4)
        made.append(Row(f"{' '.join(some)} number {number}", is_spam, "", "en", source))
    return made


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "_RUNS", 2)
    monkeypatch.setattr(teaching, "_FEWEST_ROWS", 300)
    monkeypatch.setattr(teaching, "LABELS", 60)


@pytest.mark.usefixtures("_small")
def test_chosen_labels_teach_more_than_random_ones_where_spam_is_rare() -> None:
    found = gains([*rows(), *site_rows()], {"own", "site"})
    assert list(found) == ["site"]
    gain = found["site"]
    assert gain.chosen.auc > 0.95
    assert gain.chosen.f1 >= gain.by_chance.f1
    assert gain.unweighted.auc > 0.95
    assert gain.before.rows == gain.chosen.rows


@pytest.mark.usefixtures("_small")
def test_small_sources_and_those_of_one_kind_are_not_measured() -> None:
    ham = [row for row in site_rows(500, "ham") if not row.spam]
    assert gains([*rows(), *ham], {"own", "ham"}) == {}
    assert gains([*rows(), *site_rows()], {"own"}) == {}


@pytest.mark.usefixtures("_small")
def test_labels_come_from_the_half_that_is_not_tested_and_each_once() -> None:
    site = teaching._site([*rows(), *site_rows()], "site", None)
    order = list(range(len(site.labels)))
    chosen = teaching._chosen(site, order[:200], Random(1))
    assert len(chosen) == 60
    assert sum(propensity is not None for propensity in chosen.values()) == 12
    assert set(chosen) <= set(order[:200])


def test_near_duplicates_are_one_group() -> None:
    texts = [
        "Cheap watches in our shop today 1",
        "The tram was late",
        "Cheap watches in our shop today 2",
    ]
    assert teaching._groups(texts) == ["0", "1", "0"]
