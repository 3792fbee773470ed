"""`python -m bench.chaos`: load, faults, a quiet time, then the checks. Exit status 1 if a rule is
broken.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.chaos.faults import FAULTS, due, named, possible
from bench.chaos.load import Load
from bench.chaos.quiet import is_quiet
from bench.chaos.sabotaged import COMMAND, SABOTAGE, WHICH, drop_unique
from bench.chaos.system import Part, System, system
from bench.chaos.told import Told, lines
from bench.chaos.truths import Records, violations
from models.store.database import engine
from models.store.migrate import upgrade
from tests.chaos.full_disk import Disk, can_mount, small_disk
from tests.fakes.postgres import postgresql
from tests.greenroom import GREENROOM, until

QUIET_SECONDS, QUIET_SECONDS_SABOTAGED = (
    120.0,
    20.0,
)  # the longest legitimate wait: for a killed publisher's lease
MOST_SHOWN = 10
DISK_MEGABYTES = 256
console = Console(highlight=False, width=140)


@dataclass
class Run:
    """The options of a run, and its results."""

    seed: int
    seconds: float
    database: str
    sabotage: str
    only: str
    keep: Path | None
    faults: Counter[str] = field(default_factory=Counter)
    quiet: str = "never"
    said: Counter[str] = field(default_factory=Counter)
    deaths: int = 0


def main() -> int:
    run = _asked()
    without = f", sabotaged: {run.sabotage}" if run.sabotage else ""
    console.print(
        f"chaos with seed [bold]{run.seed}[/bold]: {run.seconds:g} s on {run.database}{without}"
    )
    with tempfile.TemporaryDirectory(prefix="greenroom-chaos-") as name:
        folder = Path(name)
        os.environ.update({"GREENROOM_DATA": str(folder / "var"), WHICH: run.sabotage})
        with _disk(folder / "var") as disk, _database(run) as (environment, parts):
            command = COMMAND if run.sabotage else GREENROOM
            whole_system = system(folder, environment, command, parts, disk=disk)
            with whole_system as whole, Told(folder / "told.jsonl") as told:
                _harm(run, whole, told)
            found = violations(Records(told.path, files=list(_files(whole))))
            engine().dispose()
            if run.keep:
                shutil.copytree(folder, run.keep, dirs_exist_ok=True)
        _count(run, whole, told.path)
    _report(run, found)
    return 1 if any(found.values()) else 0


def _asked() -> Run:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(100_000))
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--sabotage", choices=sorted(SABOTAGE), default="")
    parser.add_argument(
        "--only", choices=sorted(map(named, FAULTS)), default="", help="one kind of fault alone"
    )
    parser.add_argument("--keep", type=Path, help="a folder to copy all that the run left to")
    return Run(**vars(parser.parse_args()))


@contextmanager
def _disk(data: Path) -> Iterator[Disk | None]:
    """Return a small disk for the data folder, if this machine allows one."""
    if not can_mount():
        yield None
        return
    with small_disk(data, megabytes=DISK_MEGABYTES) as disk:
        yield disk


@contextmanager
def _database(run: Run) -> Iterator[tuple[dict[str, str], dict[str, Part]]]:
    """Return the environment variables that name the database, and the part that serves it."""
    environment: dict[str, str] = {}
    parts: dict[str, Part] = {}
    with ExitStack() as stack:
        if run.database == "postgres":
            server = stack.enter_context(postgresql())
            parts["postgres"], environment["GREENROOM_DATABASE_URL"] = server, server.url()
            os.environ.update(environment)
        upgrade()  # Valkey's password is one of the keys, which belong to the database
        if run.sabotage == "no-unique":
            drop_unique()
        yield environment, parts


def _harm(run: Run, whole: System, told: Told) -> None:
    chance = random.Random(run.seed)
    faults = possible(database=run.database, has_small_disk=whole.disk is not None)
    faults = [fault for fault in faults if run.only in {"", named(fault)}]
    assert faults, f"{run.only} is not possible here"
    with Load(whole.up.port, whole.up.key("admin"), run.seed, told):
        for at, fault in due(faults, chance, seconds=run.seconds):
            run.faults[named(fault)] += 1
            console.print(f"[dim]{at:6.1f} s  {named(fault)}[/dim]")
            fault(whole, chance)
    console.print("[dim]          the load has ended; until all is quiet[/dim]")
    began = time.monotonic()
    with suppress(AssertionError):
        until(is_quiet, QUIET_SECONDS_SABOTAGED if run.sabotage else QUIET_SECONDS)
        run.quiet = f"{time.monotonic() - began:.0f} s after the load"


def _files(whole: System) -> Iterator[Path]:
    yield from whole.logs
    for folder in ("valkey", "published"):
        yield from (path for path in (whole.up.data / folder).rglob("*") if path.is_file())


def _count(run: Run, whole: System, told: Path) -> None:
    for what in ("sent", "accepted", "decided"):
        run.said[what] = sum(1 for _ in lines(told, what))
    run.said["comments"] = len({line["id"] for line in lines(told, "accepted")})
    for line in lines(told, "answered"):
        run.said[f"answered {line['status']}"] += 1
    run.deaths = whole.up.output.count(": restarting it")


def _report(run: Run, found: dict[str, list[str]]) -> None:
    about = ", ".join(filter(None, [f"chaos with seed {run.seed}", run.database, run.sabotage]))
    table = Table("truth", "broken", "by", title=about)
    for truth, broken in found.items():
        shown = "\n".join([*broken[:MOST_SHOWN], *(["…"] if len(broken) > MOST_SHOWN else [])])
        table.add_row(truth, f"[red]{len(broken)}[/red]" if broken else "0", shown)
    faults = ", ".join(
        f"{name} × {times}" if times > 1 else name for name, times in sorted(run.faults.items())
    )
    console.print(table)
    console.print(f"faults    {run.faults.total()}: {faults}")
    console.print(
        f"told      {', '.join(f'{count:,} {what}' for what, count in sorted(run.said.items()))}"
    )
    console.print(f"restarts  {run.deaths} by up; quiet {run.quiet}")
    for truth in filter(found.get, found):
        console.print(f"[red]broken:[/red] {truth}", soft_wrap=True)
    if not any(found.values()):
        console.print("[green]every truth holds[/green]")


if __name__ == "__main__":
    sys.exit(main())
