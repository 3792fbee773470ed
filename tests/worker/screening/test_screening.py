"""The CPU limit of a screening covers the comments, and not what a process loads for the first of
them.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from models.judgement.scores import ABUSE, SCORES, SPAM
from models.records import Screening
from models.store.database import reading
from tests.caller import Client, posted
from tests.worker.learning.stored import add_model, let_score
from worker.screening.screening import screen_now
from worker.screening.waiting import waiting


def modules_loaded(program: str, comment: str) -> list[str]:
    """Return the modules that a new process loads while the CPU limit of its first screening
    runs.
    """
    measured = """
import sys
from contextlib import contextmanager
from worker.screening import screening
limit = screening.cpu_limit

@contextmanager
def noted(seconds):
    before = set(sys.modules)
    with limit(seconds):
        yield
    print("while it ran:", *sorted(set(sys.modules).difference(before)))

screening.cpu_limit = noted
"""
    done = subprocess.run(
        [sys.executable, "-c", measured + program, comment],
        env=os.environ | {"GREENROOM_LOG_LEVEL": "error"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.partition("while it ran:")[2].partition("\n")[0].split()


@pytest.mark.parametrize(
    "program",
    [
        "screening.screen_now(sys.argv[1:])",
        "screening._prepare(sys.argv[1])\nscreening._screen_here(sys.argv[1:], True)",
    ],
    ids=["in a worker", "in isolation"],
)
def test_the_first_comment_of_a_process_pays_for_no_loading(client: Client, program: str) -> None:
    comment = posted(client, body="Der **Hafen** ist [hier](https://harbour.example/a) zu sehen.")
    assert modules_loaded(program, comment) == []


@pytest.mark.parametrize(
    ("title", "body", "language"),
    [
        ("Die Fähre fährt im Winter nur noch zweimal am Tag", "Gut so", "German"),
        ("The ferry will run only twice a day in winter", "Gut so", "could not tell the language"),
        ("Die Fähre fährt im Winter nur noch zweimal am Tag", "Well, I never liked it.", "English"),
    ],
)
def test_a_short_comment_is_in_the_language_of_its_page(
    client: Client, title: str, body: str, language: str
) -> None:
    screen_now([posted(client, body=body, title=title)])

    with reading() as session:
        evidence = session.scalars(select(Screening.evidence)).one()
    assert next(item["detail"] for item in evidence if item["check"] == "language") == language


def test_comments_are_read_with_the_sites_own_models_for_each_score(client: Client) -> None:
    comment = posted(client)
    with reading() as session:
        assert [each.models for each in waiting(session, [comment])] == [{}]
    own = {score: add_model(b"", version=f"site-{score}", score=score) for score in SCORES}
    for score, model in own.items():
        let_score(model, score=score)
    with reading() as session:
        assert [each.models for each in waiting(session, [comment])] == [own]
    let_score(None, score=SPAM)
    with reading() as session:
        assert [each.models for each in waiting(session, [comment])] == [{ABUSE: own[ABUSE]}]
