"""The limit counts the CPU time of one thread, and works while C code holds the interpreter's
lock.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.screening.cpu_limit import SIGNAL

BURN = "import time; end = time.thread_time() + 1.5\nwhile time.thread_time() < end: pass"
CASES = {
    "burning": ("with cpu_limit(0.2): burn()", True),
    "holding the interpreter's lock": (
        "with cpu_limit(0.2): re.match(r'(a+)+$', 'a' * 60 + 'b')",
        True,
    ),
    "burning in a thread": (
        """
def work():
    with cpu_limit(0.2): burn()
thread = threading.Thread(target=work); thread.start(); thread.join()""",
        True,
    ),
    "in a forked process": (
        """
with cpu_limit(0.2): pass
if not (pid := os.fork()):
    with cpu_limit(0.2): burn()
    os._exit(0)
os.kill(os.getpid(), -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))""",
        True,
    ),
    "waiting": ("with cpu_limit(0.2): time.sleep(1)", False),
    "burning after the block": ("with cpu_limit(0.2): pass\nburn()", False),
    "another thread burning": (
        """
thread = threading.Thread(target=burn); thread.start()
with cpu_limit(0.2): thread.join()""",
        False,
    ),
}
PROGRAM = """
import os, re, threading, time
from worker.screening.cpu_limit import cpu_limit
def burn():
    end = time.thread_time() + 1
    while time.thread_time() < end: pass
"""


@pytest.mark.parametrize("case", CASES)
def test_only_the_work_itself_counts(case: str) -> None:
    what, ends = CASES[case]
    status = subprocess.run(
        [sys.executable, "-c", PROGRAM + what], timeout=60, check=False
    ).returncode
    assert status == (-SIGNAL if ends else 0)
