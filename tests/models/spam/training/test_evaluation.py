"""Measuring on what was not seen, and the two commands that do it."""

import csv
import json
from math import isnan
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from models.spam.model import SpamModel
from models.spam.training import drawing, measuring, peers
from models.spam.training.corpus import Row
from models.spam.training.evaluation import (
    across,
    authors_split,
    calibration,
    judge,
    leave_one_out,
)
from models.spam.training.figures import Figures, best_f1, figures, mean
from models.spam.training.parts import near_duplicates, parts
from service.commands.model import evaluate, train

GOODS = [
    "watches",
    "pills",
    "followers",
    "shoes",
    "loans",
    "essays",
    "bonuses",
    "tickets",
    "handbags",
    "coins",
]
THINGS = [
    "bridge",
    "harbour",
    "library",
    "market",
    "school",
    "ferry",
    "hospital",
    "museum",
    "garden",
    "station",
]
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
    texts = [
        "please check out my new channel",
        "Please check out my new channel!!",
        "an old ferry in the harbour",
    ]

    assert near_duplicates(texts, ["a", "b", "b"]).tolist() == [True, True, False]
    assert near_duplicates(texts, ["a", "a", "b"]).tolist() == [False, False, False]


def test_the_best_f1_is_the_one_at_the_best_threshold() -> None:
    spam = np.array([True, True, False, False])

    assert best_f1(spam, np.array([9.0, 8.0, 7.0, 6.0])) == pytest.approx(1)
    assert figures(spam, np.array([9.0, 8.0, 7.0, 6.0])).f1 == pytest.approx(2 / 3)
    assert isnan(best_f1(spam[:2], np.array([1.0, 2.0])))


def test_probabilities_that_are_true_have_no_gap() -> None:
    spam = np.array([True, False, False, False] * 25)

    true, untrue = (
        calibration(spam, np.full(100, np.log(1 / 3))),
        calibration(spam, np.full(100, np.log(9))),
    )

    assert true.brier == pytest.approx(0.1875)
    assert true.gap == pytest.approx(0)
    assert true.bins == ((pytest.approx(0.25), 0.25, 100),)
    assert untrue.gap == pytest.approx(0.65)


def test_in_the_authors_split_the_first_part_of_each_class_trains() -> None:
    order = sorted(rows(), key=lambda row: int(row.text.split()[-1]) % 10 > 6)
    late = [
        row._replace(spam=not row.spam) if number >= 42 else row for number, row in enumerate(order)
    ]

    assert authors_split(rows(), pooled=True) == dict.fromkeys(THREADS, 1.0)
    assert authors_split(rows(), pooled=False) == dict.fromkeys(THREADS, 1.0)
    assert all(found < 0 for found in authors_split(late, pooled=True).values())


def test_a_kind_of_text_is_judged_by_the_others_alone() -> None:
    contrary = [row._replace(source="contrary", spam=not row.spam) for row in rows()]

    assert {name: found.auc for name, found in across([*rows(), *contrary]).items()} == {
        "own": 0,
        "contrary": 0,
    }
    assert across(rows()) == {}


@pytest.mark.parametrize(
    ("name", "package"), [("bogofilter", "bogofilter"), ("SpamAssassin's Bayes", "spamassassin")]
)
def test_another_filter_judges_the_same_parts(name: str, package: str) -> None:
    if (judging := peers.installed().get(name)) is None:
        pytest.skip(f"{name} is not installed: on Debian, the package {package}")

    judged = peers.judge(rows(), judging)

    assert judged.part.tolist() == parts(rows())
    assert mean([result.raw for result in leave_one_out(judged)]).auc > 0.9


def test_the_drawing_shows_a_curve_for_each_filter_and_a_dot_for_each_bin() -> None:
    found = measuring.measure(rows())

    drawn = drawing.draw(
        found.calibration, found.judged | {"Bayes & Co": found.judged["Greenroom"]}
    )

    root = ElementTree.fromstring(drawn)
    paths, dots = (
        root.findall(f"{{http://www.w3.org/2000/svg}}{kind}") for kind in ("path", "circle")
    )
    assert (len(paths), len(dots)) == (4, len(found.calibration.bins))
    assert "Bayes & Co" in "".join(root.itertext())


def test_every_thread_is_judged_once_by_a_model_of_the_others() -> None:
    results = leave_one_out(judge(rows()))

    assert [result.name for result in results] == sorted(THREADS)
    assert [result.raw.rows for result in results] == [20, 20, 20]
    assert all(
        result.deduplicated.rows < 20 for result in results
    )  # the threads repeat one another
    assert mean([result.raw for result in results]).auc == 1


def test_without_threads_there_are_five_parts_and_with_very_many_ten_bundles() -> None:
    assert len(set(parts(rows(threads=False)))) == 5
    assert len(set(parts([row._replace(thread="only") for row in rows()]))) == 5
    assert len(set(parts([row._replace(thread=row.text) for row in rows()]))) == 10


def test_train_writes_a_model_and_its_card_and_says_where(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.npz"
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


def test_evaluate_writes_what_it_found_into_the_card_and_draws_it(
    corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new.npz"
    run("train", corpus, "--out", out)
    card, page = out.with_suffix(".json"), out.with_suffix(".md")
    page.write_text("# My model\n\nSaid by hand.\n", encoding="utf-8")

    run("evaluate", corpus, "--card", card)
    run("evaluate", corpus, "--card", card)

    measured = json.loads(card.read_text(encoding="utf-8"))
    assert measured["version"] == SpamModel.load(out).version
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
        (["train", "BAD"], "bad.csv, line 2: label is 'what'; spam or ham is meant"),
        (["evaluate", "BAD"], "bad.csv, line 2: label is 'what'; spam or ham is meant"),
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
            "--weight names other, which is none of the files",
        ),
    ],
)
def test_a_mistake_is_said_in_a_line(
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
