"""`greenroom train` and `greenroom evaluate`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.classifier.model import LinearModel
from service.commands.model import evaluate, train
from tests.models.classifier.training.made_up_rows import THREADS, rows


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "thread", "at", "lang"])
        writer.writerows(
            [row.text, "spam" if row.spam else "ham", row.thread, "", row.lang] for row in rows()
        )
    return path


def run(*arguments: object) -> str:
    command = {"train": train, "evaluate": evaluate}[str(arguments[0])]
    result = CliRunner().invoke(
        command, [str(argument) for argument in arguments[1:]], env={"COLUMNS": "120"}
    )
    return f"{result.exit_code} {result.output}"


def test_train_writes_a_model_and_its_card_and_says_where(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.npz"
    output = run("train", corpus, "--out", out)
    card = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    model = LinearModel.load(out)

    assert output.startswith("0 ")
    assert f"Model {model.version}: {out}" in output
    assert card["version"] == model.version
    assert card["sources"][0]["without repeats"] == {"spam": 30, "ham": 30}
    assert card["sources"][0]["threads"] == sorted(THREADS)
    assert card["held out"]["own"]["auc"] == 1


def test_train_can_leave_a_thread_out_and_weigh_a_file(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.npz"
    run("train", corpus, "--out", out, "--without-thread", "north", "--weight", "own=0.5")
    [source] = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["sources"]

    assert source["threads"] == ["south", "west"]
    assert source["weight"] == 0.5


def test_evaluate_prints_one_table_with_every_protocol_and_the_cost(corpus: Path) -> None:
    output = run("evaluate", corpus)

    for word in (
        *(
            *THREADS,
            "mean",
            "AUC",
            "F1",
            "recall",
            "MCC",
            "mean, dedup",
            "every thread's 70 % train",
            "Brier",
        ),
        *("ms for a comment alone", "comments/s", "MB", "scikit-learn"),
    ):
        assert word in output
    assert "each part judged by a model of the others" in output


def test_evaluate_also_measures_across_kinds_of_text(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "letters.csv"
    other.write_text(corpus.read_text(encoding="utf-8").replace("cheap", "dear"), encoding="utf-8")

    output = run("evaluate", corpus, "--also", other, "--weight", "letters=0.5")

    assert "mean, other kinds of text trained too" in output
    assert "letters, without a label of its kind" in output


def test_evaluate_writes_its_results_into_the_card_and_draws_them(
    corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new.npz"
    run("train", corpus, "--out", out)
    card, page = out.with_suffix(".json"), out.with_suffix(".md")
    page.write_text("# My model\n\nSaid by hand.\n", encoding="utf-8")

    run("evaluate", corpus, "--card", card)
    run("evaluate", corpus, "--card", card)

    measured = json.loads(card.read_text(encoding="utf-8"))
    assert measured["version"] == LinearModel.load(out).version
    assert measured["measured"]["on"] == "own"
    assert {"what": "mean", "rows": 60, "AUC": 1, "F1": 1, "recall": 1} in measured["measured"][
        "figures"
    ]
    assert page.read_text(encoding="utf-8").startswith("# My model\n\nSaid by hand.\n<!-- measured")
    assert page.read_text(encoding="utf-8").count("| mean |") == 1
    assert out.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_threads_own_page_can_be_named(corpus: Path) -> None:
    assert run("evaluate", corpus, "--page", "north=https://paper.example.com/north").startswith(
        "0 "
    )


def test_evaluate_says_when_it_has_no_threads_to_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    lines = [f'"{row.text}",{"spam" if row.spam else "ham"}' for row in rows()]
    path.write_text("\n".join(["text,label", *lines]), encoding="utf-8")

    output = run("evaluate", path)

    assert "part 5" in output
    assert "70 %" not in output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train"], "Missing argument 'FILES...'"),
        (["train", "none.csv"], "none.csv"),
        (["train", "BAD"], "bad.csv, line 2: the label is 'what'; it must be spam or ham"),
        (["evaluate", "BAD"], "bad.csv, line 2: the label is 'what'; it must be spam or ham"),
        (["train", "FEW"], "at least 5 of each are needed"),
        (["evaluate", "FEW"], "at least 5 of each are needed"),
        (["evaluate", "NONE"], "0 spam and 0 ham: measuring needs both kinds"),
        (["train", "GOOD", "--out", "BAD/model.npz"], "bad.csv"),
        (["train", "GOOD", "--out", "model.json"], "model.json: .json is for the model's card"),
        (["train", "GOOD", "--without-thread", "east"], "no comment belongs to the thread east"),
        (["train", "GOOD", "--weight", "own"], "expected NAME=FACTOR"),
        (["train", "GOOD", "--weight", "own=0"], "the factor must be between 0.000001"),
        (["train", "GOOD", "--weight", "own=1e-300"], "the factor must be between 0.000001"),
        (["evaluate", "GOOD", "--card", "BAD"], "bad.csv is not a model's card"),
        (["evaluate", "GOOD", "--card", "LIST"], "list.json is not a model's card"),
        (["train", "GOOD", "--page", "north"], "expected THREAD=URL"),
        (
            ["train", "GOOD", "--weight", "other=2"],
            "--weight names other, which is not one of the files",
        ),
    ],
)
def test_a_mistake_is_reported_in_one_line(
    arguments: list[str], complaint: str, corpus: Path, tmp_path: Path
) -> None:
    bad, few, none = (tmp_path / f"{name}.csv" for name in ("bad", "few", "none"))
    bad.write_text("text,label\nhello,what\n", encoding="utf-8")
    few.write_text("text,label\nhello,ham\nbuy,spam\n", encoding="utf-8")
    none.write_text("text,label\n", encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    files = {
        "GOOD": corpus,
        "BAD": bad,
        "FEW": few,
        "NONE": none,
        "BAD/model.npz": bad / "model.npz",
    }
    files["LIST"] = tmp_path / "list.json"

    output = run(*(files.get(argument, argument) for argument in arguments))

    assert not output.startswith("0 ")
    assert complaint in output
    assert "Traceback" not in output
