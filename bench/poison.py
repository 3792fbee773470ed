"""Measure how soon a poison comment, and an ordinary one posted right after it, are settled:
`python -m bench.poison`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.test_poison import ALONE, WAYS, post, settled
from tests.greenroom import running

BAR_SECONDS = 4.0


def main() -> int:
    slowest = 0.0
    for way in WAYS:
        with (
            tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
            running(Path(folder) / "var", **ALONE) as up,
        ):
            key = up.key()
            began = time.monotonic()
            poison, ordinary = post(up, f"poison: {way}"), post(up, "The ferry was late again.")
            settled(up, key, ordinary)
            behind = time.monotonic() - began
            settled(up, key, poison)
            itself = time.monotonic() - began
        print(f"{way}: the ordinary one after {behind:.1f} s, the poison one after {itself:.1f} s")
        slowest = max(slowest, behind, itself)
    print(
        f"slowest {slowest:.1f} s, bar {BAR_SECONDS} s: "
        f"{'met' if slowest <= BAR_SECONDS else 'not met'}"
    )
    return int(slowest > BAR_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
