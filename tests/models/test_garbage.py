"""A process that starts looks for garbage less often than one that runs for long."""

from __future__ import annotations

import subprocess
import sys

STARTS = """
import gc
from models.garbage import OFTEN, SELDOM, collect_often, collect_seldom
assert gc.get_threshold() == OFTEN
collect_seldom()
assert gc.get_threshold()[0] == SELDOM > OFTEN[0]
import models.records
assert gc.get_freeze_count() == 0
collect_often()
assert gc.get_threshold() == OFTEN
assert gc.get_freeze_count() > SELDOM
"""


def test_a_process_looks_for_garbage_as_often_as_before_once_it_has_started() -> None:
    subprocess.run([sys.executable, "-c", STARTS], check=True)
