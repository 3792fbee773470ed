"""Sentences from our own templates."""

import csv
from pathlib import Path

import pytest

from models.abuse.training.own import MOST, BadTemplate, read, sentences
from models.abuse.training.sources import KINDS
from models.classifier.training.corpus import normalised

ROWS = read()


def test_a_template_gives_different_sentences_and_always_the_same_ones() -> None:
    lists = {"thing": "coffee|tea", "want": "want {thing}|need {thing}"}
    found = sentences("I {want}{|!}", lists)
    assert set(found) == {
        f"I {verb} {thing}{end}"
        for verb in ("want", "need")
        for thing in ("coffee", "tea")
        for end in ("", "!")
    }
    assert sentences("I {want}{|!}", lists) == found
    assert len(sentences("{a|b|c|d}{a|b|c|d}{a|b|c|d}{a|b|c|d}", {})) == MOST


def test_every_language_has_threats_insults_and_harmless_twins() -> None:
    languages = {row.lang for row in ROWS}
    assert {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru"} < languages
    for language in languages:
        own = [row for row in ROWS if row.lang == language]
        assert {kind for row in own for kind in row.kinds or ()} <= set(KINDS)
        assert sum("threat" in (row.kinds or ()) for row in own) > 50
        assert sum("insult" in (row.kinds or ()) for row in own) > 50
        assert sum(not row.spam for row in own) > 100
    assert not any("{" in row.text or "}" in row.text for row in ROWS)


def test_no_sentence_that_measures_is_learned() -> None:
    folder, measured = Path(__file__).parents[1], set()
    for name in ("explicit", "heated", "identity"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            measured |= {normalised(row["text"]) for row in csv.DictReader(file)}
    assert len(measured) == 1200
    assert not measured & {normalised(row.text) for row in ROWS}


def test_a_template_before_the_first_language_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("You {fool}.\n", encoding="utf-8")
    with pytest.raises(BadTemplate, match="line 1 stands before the first language"):
        read(path)
