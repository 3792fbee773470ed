"""A model's card: counted facts, measured figures, and fields that others wrote."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from models.classifier.file import BASE
from models.classifier.training.base_model import Trained, train
from models.classifier.training.corpus import Row
from models.classifier.training.cost import Cost
from models.classifier.training.evaluation import Bin, Calibration
from models.spam.training.card import Card, add_measured, card, held_out
from models.spam.training.measuring import Line, Made, Measured
from tests.models.classifier.training.made_up_rows import few_rows

NAN = float("nan")


@pytest.fixture(scope="module")
def read() -> list[Row]:
    """Two sources; one text of the first is there twice, and the second is all in one thread."""
    letters = [
        row._replace(text=f"{row.text} today", source="letters", thread="north")
        for row in few_rows()
    ]
    return [*few_rows(), few_rows()[0], *letters]


@pytest.fixture(scope="module")
def trained(read: list[Row]) -> Trained:
    return train(read)


@pytest.fixture
def made(trained: Trained, read: list[Row], tmp_path: Path) -> Card:
    trained.model.save(tmp_path / "model.npz")
    return card(trained, read, {"letters": 0.5}, tmp_path / "model.npz")


def measured(*lines: Line) -> Measured:
    return Measured(
        lines=lines or (Line("mean", {"rows": 60, "AUC": 0.98765, "F1": 1.0, "recall": NAN}),),
        judged={},
        calibration=Calibration(0.03689, 0.01712, (Bin(0.05123, 0.0499, 40), Bin(0.9, 1.0, 20))),
        cost=Cost(0.8349, 3.1, 7480.456, 490339),
        made=Made("2026-11-24", "Python 3.11", "youtube", "sms, own"),
    )


def test_it_says_which_bytes_the_model_is(made: Card, tmp_path: Path) -> None:
    data = (tmp_path / "model.npz").read_bytes()

    assert (made.sha256, made.bytes) == (sha256(data).hexdigest(), len(data))


def test_each_source_is_counted_with_and_without_repeats(made: Card) -> None:
    letters, own = made.sources

    assert (own.name, own.rows, own.weight, own.threads) == ("own", 21, 1.0, [])
    assert (own.without_repeats.spam, own.without_repeats.ham) == (10, 10)
    assert (letters.rows, letters.weight, letters.threads) == (20, 0.5, ["north"])


def test_held_out_figures_are_by_source(made: Card, trained: Trained) -> None:
    assert set(made.held_out) == {"letters", "own"}
    assert made.held_out["own"].rows == 20
    assert made.held_out["own"].auc == round(held_out(trained)["own"].auc, 4)


def test_an_unknown_figure_is_null(trained: Trained, read: list[Row], tmp_path: Path) -> None:
    spam_only = trained._replace(rows=[row._replace(spam=True) for row in trained.rows])
    (tmp_path / "model.npz").write_bytes(b"any")

    made = card(spam_only, read, {}, tmp_path / "model.npz")

    assert made.held_out["own"].auc is None


def test_its_keys_are_words_with_blanks(made: Card, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    made.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))

    assert content["sources"][0]["without repeats"] == {"spam": 10, "ham": 10}
    assert "recall at 1 % false positives" in content["held out"]["own"]
    assert "measured" not in content
    assert Card.load(path) == made


def test_reading_and_writing_the_card_that_ships_changes_nothing(tmp_path: Path) -> None:
    shipped = BASE.with_suffix(".json")
    Card.load(shipped).save(tmp_path / "copy.json")

    assert (tmp_path / "copy.json").read_bytes() == shipped.read_bytes()


def test_unknown_fields_in_a_card_are_kept(made: Card, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    made.save(path)
    content = json.loads(path.read_text(encoding="utf-8")) | {"reviewed by": "Ann"}
    path.write_text(json.dumps(content), encoding="utf-8")

    add_measured(measured(), path)

    assert json.loads(path.read_text(encoding="utf-8"))["reviewed by"] == "Ann"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": "abc"}', "text,label"])
def test_anything_else_is_not_a_card(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ValueError, match="Card"):
        Card.load(path)


def test_measured_figures_are_rounded_and_unknown_ones_null(made: Card, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    made.save(path)
    add_measured(measured(), path)
    part = json.loads(path.read_text(encoding="utf-8"))["measured"]

    assert part["figures"] == [
        {"what": "mean", "rows": 60, "AUC": 0.9877, "F1": 1.0, "recall": None}
    ]
    assert part["calibration"]["brier"] == 0.0369
    assert part["calibration"]["bins"][0] == {"said": 0.051, "was": 0.05, "rows": 40}
    assert part["cost"]["per_second"] == 7480.46
    assert (part["with"], part["on"], part["others"]) == ("Python 3.11", "youtube", "sms, own")


def test_the_page_gets_a_table_between_two_marks(made: Card, tmp_path: Path) -> None:
    path, page = tmp_path / "model.json", tmp_path / "model.md"
    made.save(path)
    page.write_text("# Mine\n", encoding="utf-8")
    lines = [
        Line("mean", {"rows": 60, "AUC": 0.98765, "recall": NAN}),
        Line("west, every thread's 70 % train", {"MCC": 0.5}),
        Line("cost", {}, "1 ms"),
    ]
    add_measured(measured(*lines), path)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n<!-- measured by `greenroom evaluate` -->\nMeasured 2026-11-24")
    assert "| mean | 60 | 0.988 |  |  |  |  |" in text
    assert "| west, every thread's 70 % train |  |  |  |  | 0.500 |  |" in text
    assert "- cost: 1 ms" in text
    assert "| cost |" not in text


def test_the_next_table_replaces_the_one_before(made: Card, tmp_path: Path) -> None:
    path, page = tmp_path / "model.json", tmp_path / "model.md"
    made.save(path)
    add_measured(measured(Line("first", {"rows": 10})), path)
    page.write_text(page.read_text(encoding="utf-8") + "\nWritten below.\n", encoding="utf-8")

    add_measured(measured(Line("second", {"rows": 20})), path)

    text = page.read_text(encoding="utf-8")
    assert "first" not in text
    assert "| second | 20 |" in text
    assert text.endswith("\nWritten below.\n")
