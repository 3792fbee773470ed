"""Print every speed requirement in one table, as ratios within this run. The absolute figures hold
only for this machine at this time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    accepting,
    fronting,
    judging,
    moderating,
    reading,
    resting,
    screening,
    slowly,
    travelling,
    webhooks,
)
from bench.accepting import is_listening
from bench.reading import Row
from models.settings import settings
from service.sites.lookup import find_site
from service.up.valkey import embedded
from tests.greenroom import running, until


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        data = Path(folder) / "var"
        os.environ.update(
            GREENROOM_DATA=str(data), GREENROOM_RATE_LIMITS="off", GREENROOM_DNS="127.0.0.1:1"
        )
        settings.cache_clear()  # the benchmarks' imports have asked for it before
        _say("resting")
        rows = resting.measure(Path(folder) / "idle") + _measure(data)
    _say("webhooks")
    rows += webhooks.measured(["idle", "rate", "dead"])
    table = Table("work", "measured", "ratio", "bar", "", title="Greenroom, measured")
    for row in rows:
        table.add_row(
            row.work,
            row.figure,
            f"{row.ratio:.2f}",
            row.bar,
            "met" if row.is_met else "[red]not met[/red]",
        )
    Console().print(table)
    return 0 if all(row.is_met for row in rows) else 1


def _measure(data: Path) -> list[Row]:
    with running(data, GREENROOM_RATE_LIMITS="off", GREENROOM_DNS="127.0.0.1:1") as up:
        site = find_site("demo")
        assert site is not None
        _say("filling threads of 20, 1,000 and 100,000 comments")
        for size in reading.SIZES:
            reading.fill(site.id, size)
        _say("reading")
        rows = reading.measure(up.port)
        _say("reading through the front")
        rows += fronting.measure(data, up.port)
        _say("serving beside slow clients")
        rows += slowly.measure(up.port)
        _say("from the form to the page")
        rows += travelling.measure(up.port)
    _say("from the form to the page without a broker")
    rows += travelling.measure_in_silence(data)
    with _broker(data) as redis_url:
        _say("accepting")
        rows += accepting.measure(data, redis_url)
        _say("screening")
        rows += screening.measure(data, redis_url, site.id)
    _say("judging")
    rows += judging.measure()
    _say("moderating")
    return rows + moderating.measure()


@contextmanager
def _broker(data: Path) -> Iterator[str]:
    """Yield the embedded Valkey, alone."""
    broker = embedded(data)
    with subprocess.Popen(broker.command) as process:
        try:
            until(lambda: is_listening(int(broker.url.rpartition(":")[2].partition("/")[0])), 10)
            yield broker.url
        finally:
            process.send_signal(signal.SIGTERM)


def _say(what: str) -> None:
    Console(stderr=True).print(f"[dim]… {what}[/dim]")


if __name__ == "__main__":
    sys.exit(main())
