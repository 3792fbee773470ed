"""`make chaos-checked`: remove one guarantee at a time; the run must notice. Exit status 1 if one
does not.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import NamedTuple

from bench.chaos.faults import flush_while_messages_wait, kill_worker, named, stop_worker

SEED = 1
PATIENCE_SECONDS = 240.0


class Check(NamedTuple):
    """The guarantee to remove, the fault that reveals it soonest, its duration, and the rule that
    must be found broken.
    """

    sabotage: str
    only: str
    seconds: float
    truth: str


CHECKS = [
    Check(
        "no-sweep",
        named(flush_while_messages_wait),
        12,
        "every comment is settled or waits for a human",
    ),
    Check(
        "no-unique",
        named(kill_worker),
        12,
        "the same Idempotency-Key, or the same words again, is one row",
    ),
    Check(
        "no-lease",
        named(stop_worker),
        20,
        "a comment is published if and only if it is approved; counts agree",
    ),
]


def main() -> int:
    missed = [check for check in CHECKS if not _is_noticed(check)]
    return 1 if missed else 0


def _is_noticed(check: Check) -> bool:
    began = time.monotonic()
    options = {
        "sabotage": check.sabotage,
        "only": check.only,
        "seconds": check.seconds,
        "seed": SEED,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    run = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    is_noticed = run.returncode == 1 and f"broken: {check.truth}" in run.stdout
    seconds = time.monotonic() - began
    print(
        f"{check.sabotage:10} {'noticed' if is_noticed else 'MISSED'} after {seconds:.0f} s",
        flush=True,
    )
    if not is_noticed:
        print(run.stdout, run.stderr, sep="\n")
    return is_noticed


if __name__ == "__main__":
    sys.exit(main())
