"""A failpoint ends the process where the environment says, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from models import failpoints
from models.failpoints import STATUS

# Prints each point that the process survived.
WALK = """
from models.failpoints import failpoint
for name in ("taken", "sent", "taken", "taken"):
    failpoint(name)
    print(name, flush=True)
"""
READ = """
from models.failpoints import poison
poison(["a good name", {body!r}])
print("read")
"""


def run(code: str, **environment: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("setting", "status", "passed"),
    [
        ("", 0, ["taken", "sent", "taken", "taken"]),
        ("taken", STATUS, []),
        ("sent", STATUS, ["taken"]),
        ("taken:2", STATUS, ["taken", "sent"]),
        ("taken:4", 0, ["taken", "sent", "taken", "taken"]),  # it comes there only three times
        ("take", 0, ["taken", "sent", "taken", "taken"]),  # another point's name
    ],
)
def test_a_process_ends_at_its_failpoint(setting: str, status: int, passed: list[str]) -> None:
    assert run(WALK, GREENROOM_FAILPOINT=setting) == (status, passed)


@pytest.mark.parametrize(
    ("setting", "body", "status"),
    [
        ("1", "poison: exit", STATUS),
        ("1", "please, poison: crash", -signal.SIGSEGV),
        ("1", "poison: nothing we know", 0),
        ("0", "poison: exit", 0),
        ("", "poison: exit", 0),
    ],
)
def test_words_are_poison_only_if_the_environment_says_so(
    setting: str, body: str, status: int
) -> None:
    assert run(READ.format(body=body), GREENROOM_POISON=setting)[0] == status


def test_this_process_has_neither() -> None:
    failpoints.failpoint("taken")
    failpoints.failpoint("")
    failpoints.poison([f"poison: {kind}" for kind in failpoints._POISONS])
