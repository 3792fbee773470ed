"""A card is read as it was written."""

from pathlib import Path

import pytest

from models.classifier.training.saved import Saved


class Card(Saved):
    version: str
    note: str = ""


def test_a_card_is_read_as_it_was_written_and_leaves_out_what_was_not_set(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    Card(version="Ä 1").save(path)
    assert path.read_text(encoding="utf-8") == '{\n  "version": "Ä 1"\n}\n'
    assert Card.load(path) == Card(version="Ä 1")


def test_another_file_is_no_card(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="Card"):
        Card.load(path)
