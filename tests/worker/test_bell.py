"""The first rings of a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RINGERS = """
import sys, threading, time
from worker import bell

first = threading.Thread(target=bell._bell)
first.start()
while "celery" not in sys.modules:
    time.sleep(0)
bell._bell()
"""


def test_who_rings_while_another_still_makes_the_bell_waits_for_it(tmp_path: Path) -> None:
    # Nothing compiled is found, so that the import of Celery takes long enough to come amid it.
    slowly = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", RINGERS]
    ran = subprocess.run(slowly, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
