"""The abuse model that ships, on sentences that it never learned: explicit abuse, civil anger, and
harmless sentences that name a group of people.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from models.abuse.training.sources import KINDS
from models.classifier.attributes import base_attributes
from models.classifier.features import sparse_features
from models.classifier.file import shipped
from models.classifier.model import base_model
from models.judgement.policy import AbusePolicy
from models.judgement.scores import ABUSE

BASE = shipped(ABUSE)
LANGUAGES = ("de", "en", "es", "fr", "pt")
HARMLESS = (
    "I could kill for a coffee",
    "Shoot me an email when you are ready",
    "This bug is killing me",
    "Ich könnte sterben für ein Eis",
    "Je suis mort de rire",
    "Me muero de sueño",
    "Estou morto de fome",
)


def _held(name: str, key: str = "lang") -> dict[str, float]:
    """Return the share of the sentences that the default threshold holds, by a column."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = base_model(ABUSE).probabilities(
        [row["text"] for row in rows], languages=[row["lang"] for row in rows]
    )
    held: dict[str, list[bool]] = defaultdict(list)
    for row, score in zip(rows, scores.tolist(), strict=True):
        held[row[key]].append(score >= AbusePolicy().flag_above)
    return {value: float(np.mean(found)) for value, found in held.items()}


def test_the_card_describes_the_file_that_ships() -> None:
    card = json.loads(BASE.with_suffix(".json").read_text(encoding="utf-8"))
    data = BASE.read_bytes()
    assert card["sha256"] == sha256(data).hexdigest()
    assert card["bytes"] == len(data) <= 3_000_000
    assert card["version"] == base_model(ABUSE).version
    assert {"en", "de", "fr", "es", "it", "pt", "ko", "ro", "ar", "tr", "zh", "fi"} <= set(
        card["languages"]
    )


def test_explicit_threats_and_insults_are_held() -> None:
    held = _held("explicit")
    assert set(held) == set(LANGUAGES)
    assert np.mean(list(held.values())) >= 0.75


def test_heated_but_civil_comments_pass() -> None:
    held = _held("heated")
    assert set(held) == set(LANGUAGES)
    assert np.mean(list(held.values())) <= 0.08


def test_naming_a_group_of_people_does_not_raise_the_score() -> None:
    held = _held("identity", key="term")
    assert len(held) == 20
    assert np.mean(list(held.values())) <= 0.02
    assert max(held.values()) <= 0.05


@pytest.mark.parametrize("text", HARMLESS)
def test_everyday_phrases_pass(text: str) -> None:
    assert base_model(ABUSE).probabilities([text])[0] < AbusePolicy().flag_above


def test_it_tells_threats_from_insults() -> None:
    assert base_attributes(ABUSE).names == KINDS
    threat, insult = base_attributes(ABUSE).of_rows(
        sparse_features(["I will find you and kill you", "You are a stupid idiot"])
    )
    assert threat["threat"] > 0.5
    assert insult["insult"] > 0.5
