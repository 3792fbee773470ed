"""`up` records signals and handles them when there is time."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

# Signals belong to a process, so each case is one.
BEGIN = """
import os, signal, subprocess, sys, time
from service.up.attention import Attention
PATIENCE = 60
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_to_end_is_noted_and_wakes(name: str) -> None:
    code = f"""
attention = Attention()
assert not attention.ended
os.kill(os.getpid(), signal.{name})
attention.wait(PATIENCE)
print(attention.ended)
"""
    assert run(code) == "True"


def test_more_signals_change_nothing() -> None:
    code = """
attention = Attention()
for _ in range(100):
    os.kill(os.getpid(), signal.SIGTERM)
attention.wait(PATIENCE)
print(attention.ended)
"""
    assert run(code) == "True"


def test_a_childs_death_wakes_and_ends_nothing() -> None:
    code = """
attention = Attention()
child = subprocess.Popen([sys.executable, "-c", ""])
attention.wait(PATIENCE)
child.wait()
print(attention.ended)
"""
    began = time.monotonic()
    assert run(code) == "False"
    assert time.monotonic() - began < 60


def test_nohup_is_heeded() -> None:
    code = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
attention = Attention()
os.kill(os.getpid(), signal.SIGHUP)
attention.wait(0)
print(attention.ended)
"""
    assert run(code) == "False"


def test_a_process_that_ends_already_ignores_all_of_them() -> None:
    code = """
attention = Attention()
attention.ignore()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    os.kill(os.getpid(), number)
print(attention.ended)
"""
    assert run(code) == "False"


def test_without_a_signal_it_sleeps_the_whole_time() -> None:
    code = """
attention = Attention()
began = time.monotonic()
attention.wait(0.05)
print(time.monotonic() - began >= 0.05)
"""
    assert run(code) == "True"
