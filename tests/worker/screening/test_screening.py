"""The CPU limit of a screening covers the comments, and not what a process loads for the first of
them.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.caller import Client, posted


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
