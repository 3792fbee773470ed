"""Measuring on what was not seen, and the two commands that do it."""

import csv
import json
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.spam.corpus import Row
from models.spam.evaluation import leave_one_out, near_duplicates, parts
from models.spam.figures import Figures, figures, mean
from models.spam.model import SpamModel
from service.cli_model import evaluate, train

GOODS = ["watches", "pills", "followers", "shoes", "loans", "essays", "bonuses", "tickets", "handbags", "coins"]
THINGS = ["bridge", "harbour", "library", "market", "school", "ferry", "hospital", "museum", "garden", "station"]
THREADS = ["north", "south", "west"]


def rows(*, threads: bool = True) -> list[Row]:
    said = [(f"Buy cheap {word} now at www.{word}.com", True) for word in GOODS]
    said += [(f"I remember the old {word} in my street", False) for word in THINGS]
    return [
        Row(f"{text}, {thread} {number}", spam, thread if threads else "", "en", "own")
        for thread in THREADS
        for number, (text, spam) in enumerate(said)
    ]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "thread", "at", "lang"])
        writer.writerows([row.text, "spam" if row.spam else "ham", row.thread, "", row.lang] for row in rows())
    return path


def run(*arguments: object) -> str:
    command = {"train": train, "evaluate": evaluate}[str(arguments[0])]
    result = CliRunner().invoke(command, [str(argument) for argument in arguments[1:]], env={"COLUMNS": "120"})
    return f"{result.exit_code} {result.output}"


def test_figures_are_what_their_names_say() -> None:
    spam = np.array([True, True, False, False])

    assert figures(spam, np.array([2.0, 1.0, -1.0, -2.0])) == Figures(4, 1, 1, 1)
    assert figures(spam, np.array([2.0, -1.0, 1.0, -2.0])) == Figures(4, 0.75, 0.5, 0.5)


def test_one_kind_alone_has_no_figures_and_spoils_no_mean() -> None:
    alone = figures(np.array([True, True]), np.array([1.0, 2.0]))

    assert isnan(alone.auc)
    assert mean([alone, Figures(4, 0.8, 0.7, 0.6)]) == Figures(6, 0.8, 0.7, 0.6)
    assert isnan(mean([alone]).auc)


def test_a_near_duplicate_counts_only_across_parts() -> None:
    texts = ["please check out my new channel", "Please check out my new channel!!", "an old ferry in the harbour"]

    assert near_duplicates(texts, ["a", "b", "b"]).tolist() == [True, True, False]
    assert near_duplicates(texts, ["a", "a", "b"]).tolist() == [False, False, False]


def test_every_thread_is_judged_once_by_a_model_of_the_others() -> None:
    results = leave_one_out(rows())

    assert [result.name for result in results] == sorted(THREADS)
    assert [result.raw.rows for result in results] == [20, 20, 20]
    assert all(result.deduplicated.rows < 20 for result in results)  # the threads repeat one another
    assert mean([result.raw for result in results]).auc == 1


def test_without_threads_there_are_five_parts_and_with_very_many_ten_bundles() -> None:
    assert len(set(parts(rows(threads=False)))) == 5
    assert len(set(parts([row._replace(thread="only") for row in rows()]))) == 5
    assert len(set(parts([row._replace(thread=row.text) for row in rows()]))) == 10


def test_train_writes_a_model_and_its_card_and_says_where(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.skops"
    output = run("train", corpus, "--out", out)
    card = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    model = SpamModel.load(out)

    assert output.startswith("0 ")
    assert f"Model {model.version}: {out}" in output
    assert card["version"] == model.version
    assert card["sources"][0]["without repeats"] == {"spam": 30, "ham": 30}
    assert card["sources"][0]["threads"] == sorted(THREADS)
    assert card["held out"]["own"]["auc"] == 1


def test_train_can_leave_a_thread_out_and_weigh_a_file(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.skops"
    run("train", corpus, "--out", out, "--without-thread", "north", "--weight", "own=0.5")
    [source] = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["sources"]

    assert source["threads"] == ["south", "west"]
    assert source["weight"] == 0.5


def test_evaluate_prints_a_line_a_thread_their_mean_and_the_cost(corpus: Path) -> None:
    output = run("evaluate", corpus)

    for word in (*THREADS, "mean", "AUC", "F1", "recall", "dedup", "ms for a comment alone", "comments/s", "MB"):
        assert word in output
    assert "Each thread, judged by a model of the others" in output


def test_evaluate_says_when_it_has_no_threads_to_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    lines = [f'"{row.text}",{"spam" if row.spam else "ham"}' for row in rows()]
    path.write_text("\n".join(["text,label", *lines]), encoding="utf-8")

    output = run("evaluate", path)

    assert "No threads named, so each of five parts" in output
    assert "part 5" in output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train"], "Missing argument 'FILES...'"),
        (["train", "none.csv"], "none.csv"),
        (["train", "BAD"], "bad.csv, line 2: label is 'what'; spam or ham is meant"),
        (["evaluate", "BAD"], "bad.csv, line 2: label is 'what'; spam or ham is meant"),
        (["train", "FEW"], "at least 5 of each are needed"),
        (["evaluate", "FEW"], "at least 5 of each are needed"),
        (["train", "GOOD", "--without-thread", "east"], "no comment belongs to the thread east"),
        (["train", "GOOD", "--weight", "own"], "NAME=FACTOR is meant"),
        (["train", "GOOD", "--weight", "own=0"], "the factor is above 0"),
        (["train", "GOOD", "--weight", "other=2"], "--weight names other, which is none of the files"),
    ],
)
def test_a_mistake_is_said_in_a_line(arguments: list[str], complaint: str, corpus: Path, tmp_path: Path) -> None:
    bad, few = tmp_path / "bad.csv", tmp_path / "few.csv"
    bad.write_text("text,label\nhello,what\n", encoding="utf-8")
    few.write_text("text,label\nhello,ham\nbuy,spam\n", encoding="utf-8")
    files = {"GOOD": corpus, "BAD": bad, "FEW": few}

    output = run(*(files.get(argument, argument) for argument in arguments))

    assert not output.startswith("0 ")
    assert complaint in output
    assert "Traceback" not in output
