"""Two other filters, run as the programs that are installed."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import numpy as np
import pytest

from models.classifier.training.evaluation import leave_one_out
from models.classifier.training.figures import mean
from models.classifier.training.parts import parts
from models.spam.training import peers
from tests.models.classifier.training.made_up_rows import rows


@pytest.mark.parametrize(
    ("name", "package"), [("bogofilter", "bogofilter"), ("SpamAssassin's Bayes", "spamassassin")]
)
def test_another_filter_judges_the_same_parts(name: str, package: str) -> None:
    if (judging := peers.installed().get(name)) is None:
        pytest.skip(f"{name} is not installed: on Debian, the package {package}")

    judged = peers.judge(rows(), judging)

    assert judged.part.tolist() == parts(rows())
    assert mean([result.raw for result in leave_one_out(judged)]).auc > 0.9


def test_a_filter_is_taught_the_other_parts_and_judges_the_one_left_out() -> None:
    lessons: list[tuple[int, int, int]] = []

    def by_name(mails: peers.Mails) -> dict[str, float]:
        """Call everything spam that names www."""
        lessons.append((len(mails.spam), len(mails.ham), len(mails.judged)))
        assert len({*mails.spam, *mails.ham, *mails.judged}) == len(rows())
        texts = {mail: mail.read_text(encoding="utf-8") for mail in mails.judged}
        return {str(mail): 1.0 if "www" in text else 0.0 for mail, text in texts.items()}

    judged = peers.judge(rows(), by_name)

    assert lessons == [(20, 20, 20)] * 3
    assert [result.raw.f1 for result in leave_one_out(judged)] == [1, 1, 1]
    assert np.isfinite(judged.log_odds).all()  # certainty has a limit, never infinity
    assert judged.near.all()  # the threads repeat one another


def test_the_comment_is_the_body_of_a_mail() -> None:
    def remember(mails: peers.Mails) -> dict[str, float]:
        written.extend(mail.read_bytes() for mail in mails.judged)
        return {str(mail): 0.5 for mail in mails.judged}

    written: list[bytes] = []
    peers.judge([row._replace(text="Fähre – ок") for row in rows()], remember)

    message = message_from_bytes(written[0], policy=default)
    assert message.get_content() == "Fähre – ок\n"
    assert message.get_content_type() == "text/plain"


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_only_installed_filters_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.installed() == {}

    program(tmp_path, "bogofilter", "exit 0")
    assert list(peers.installed()) == ["bogofilter"]

    program(tmp_path, "sa-learn", "exit 0")  # it needs perl
    assert list(peers.installed()) == ["bogofilter"]


def test_bogofilters_verdicts_are_no_failures_and_its_failure_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit status is 0 for spam, 1 for ham and 2 for unsure; 3 is an error."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    judge = """case "$*" in *-TT*) while read path; do echo "$path U 0.25"; done; exit 2;; esac"""
    program(tmp_path, "bogofilter", judge)
    judged = peers.judge(rows(), peers.installed()["bogofilter"])
    assert set(judged.log_odds.round(6).tolist()) == {round(float(np.log(1 / 3)), 6)}

    program(tmp_path, "bogofilter", "echo no space left >&2; exit 3")
    with pytest.raises(OSError, match="bogofilter failed: no space left"):
        peers.judge(rows(), peers.installed()["bogofilter"])
