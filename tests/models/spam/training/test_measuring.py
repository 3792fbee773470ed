"""All protocols in one list of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import numpy as np
import pytest

from models.classifier.training.base_model import Untrainable
from models.spam.training import peers
from models.spam.training.measuring import COLUMNS, OURS, Measured, Others, measure
from tests.models.classifier.training.made_up_rows import THREADS, few_rows, rows


@pytest.fixture(scope="module")
def found() -> Measured:
    return measure(rows())


def figures(found: Measured, what: str) -> dict[str, float]:
    [line] = [line for line in found.lines if line.what == what]
    return dict(line.figures)


def test_each_thread_has_a_line_with_and_without_near_duplicates(found: Measured) -> None:
    assert [line.what for line in found.lines[:8]] == [
        *(f"{name}{more}" for name in THREADS for more in ("", ", dedup")),
        "mean",
        "mean, dedup",
    ]
    assert figures(found, "north") == {"rows": 20, "AUC": 1, "F1": 1, "recall": 1}
    assert figures(found, "mean")["rows"] == 60


def test_figures_are_in_known_columns_of_the_table(found: Measured) -> None:
    assert {name for line in found.lines for name in line.figures} <= set(COLUMNS)


def test_the_authors_split_has_a_line_for_each_thread_and_both_ways(found: Measured) -> None:
    for way in ("each thread's own 70 % trains", "every thread's 70 % train"):
        assert [figures(found, f"{name}, {way}") for name in (*THREADS, "mean")] == [{"MCC": 1}] * 4


def test_rows_without_threads_have_no_authors_split() -> None:
    lines = measure(rows(threads=False)).lines

    assert not [line for line in lines if "MCC" in line.figures]
    assert lines[0].what == "part 1"


def test_the_last_lines_are_sentences(found: Measured) -> None:
    *_, calibration, cost = found.lines

    assert (calibration.what, calibration.figures) == ("calibration", {})
    assert calibration.words.startswith("Brier 0.")
    assert "ms for a comment alone" in cost.words
    assert f"{found.cost.file_bytes / 1e6:.2f} MB" in cost.words


def test_it_says_when_with_what_and_on_which_sources(found: Measured) -> None:
    assert found.made.day == datetime.now(UTC).date().isoformat()
    assert "scikit-learn" in found.made.software
    assert (found.made.on, found.made.others) == ("own", "")


def test_others_train_beside_and_are_judged_across() -> None:
    others = Others([row._replace(source="letters") for row in few_rows()], {"letters": 0.5})
    found = measure(rows(), others=others)

    assert figures(found, "mean, other kinds of text trained too")["AUC"] == 1
    assert figures(found, "letters, without a label of its kind")["rows"] == 20
    assert figures(found, "own, without a label of its kind")["rows"] == 60
    assert found.made.others == "letters"


def test_a_peer_has_its_own_lines_at_its_best_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    def careful(mails: peers.Mails) -> dict[str, float]:
        """Right, but it never says more than a tenth."""
        texts = {mail: mail.read_text(encoding="utf-8") for mail in mails.judged}
        return {str(mail): 0.1 if "www" in text else 0.05 for mail, text in texts.items()}

    monkeypatch.setattr(peers, "installed", lambda: {"Careful": careful})
    found = measure(rows(), with_peers=True)

    assert list(found.judged) == [OURS, "Careful"]
    assert figures(found, "mean: Careful")["F1"] == pytest.approx(1)
    assert figures(measure(rows()), "mean")["F1"] == 1
    assert np.all(found.judged["Careful"].log_odds < 0)


def test_each_protocol_says_what_it_does() -> None:
    heard: list[str] = []

    def watched(doing: str) -> Callable[[Iterable[str]], Iterable[str]]:
        heard.append(doing)
        return iter

    measure(rows(), watched=watched)

    assert heard[0] == "Leaving one out"
    assert {"The authors' split", "Adapting", "Across kinds of text"} <= set(heard)


def test_too_few_rows_cannot_be_measured() -> None:
    with pytest.raises(Untrainable, match="at least 5 of each"):
        measure(few_rows()[8:12])
