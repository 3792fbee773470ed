"""`make fuzz`: try every reader with every family of texts, and whole comments with more. Print a
table of ratios, and those that are too high.

`SEED` chooses the random mixtures, `MIXED` their number, `READER` a single reader.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.fuzz import readers, screening
from bench.fuzz.families import Family
from bench.fuzz.families import families as all_families
from bench.fuzz.measuring import LITTLE, growth
from models.logs import configure_logs
from models.settings import settings
from models.store.migrate import upgrade
from service.sites import registering

SHOWN = 8
PART = 8  # each reader gets one family in this many: all families for all readers take half an hour


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the mixtures.")
@click.option(
    "--mixed",
    type=int,
    default=60,
    show_default=True,
    help="How many mixtures of pieces there are.",
)
@click.option("--reader", help="Only the readers whose name contains this.")
def main(seed: int, mixed: int, reader: str | None) -> None:
    """Look for texts that are slow to read."""
    some = list(all_families(seed, mixed))
    with tempfile.TemporaryDirectory(prefix="greenroom-fuzz-") as folder:
        os.environ.update(
            GREENROOM_DATA=f"{folder}/var", GREENROOM_LOG_LEVEL="error", GREENROOM_DNS="127.0.0.1:1"
        )
        settings.cache_clear()
        configure_logs()
        upgrade()
        registering.add_site("demo", ["https://paper.example"])
        screening.prepare()
        readers.warm()
        slow = [] if reader else _whole(some)
        chosen = [each for each in readers.READERS if not reader or reader in each.name]
        slow += _each(chosen, some, part=1 if reader else PART)
    for line in slow:
        print("too much:", line)
    sys.exit(1 if slow else 0)


def _whole(some: Sequence[Family]) -> list[str]:
    """Screen whole comments and report the most expensive ones."""
    screening.screen(screening.ORDINARY)
    costs = [(screening.cost(family.make(readers.BODY)), family) for family in some]
    costs.sort(key=lambda each: -each[0].ratio)
    most = f"of an ordinary one (at most {screening.MOST:.1f})"
    table = Table("a whole comment of legal length", most, "ms here", "the ordinary one")
    for cost, family in costs[:SHOWN]:
        here = (f"{cost.comment * 1000:.0f}", f"{cost.ordinary * 1000:.1f}")
        table.add_row(_short(family), f"{cost.ratio:.1f}", *here)
    Console().print(table)
    return [f"screening {each.name}: {cost}" for cost, each in costs if cost.ratio > screening.MOST]


def _each(
    some_readers: Sequence[readers.Reader], families: Sequence[Family], *, part: int
) -> list[str]:
    """Try each reader with its part of the families. The parts differ, so that all families have
    their turn.
    """
    slow = []
    table = Table(
        "reader", "longest", "ratio of four times the text", "at most", "costliest text", "ms here"
    )
    for at, reader in enumerate(some_readers):
        some = families[at % part :: part]
        found = [
            (growth(reader.read, family.make, reader.longest, enough=1.0), family)
            for family in some
        ]
        told = [each for each in found if each[0].large >= LITTLE] or found[
            :1
        ]  # no clock can measure the growth of less
        steepest = max(told, key=lambda each: each[0].ratio)
        costliest = max(found, key=lambda each: each[0].large)
        most = f"{steepest[0].most:.1f}"
        row = (
            f"{steepest[0].ratio:.1f}",
            most,
            _short(costliest[1]),
            f"{costliest[0].large * 1000:.1f}",
        )
        table.add_row(reader.name, f"{reader.longest:,}", *row)
        slow += [
            f"{reader.name} of {family.name}: {each}"
            for each, family in found
            if not each.is_bounded
        ]
    Console().print(table)
    return slow


def _short(family: Family) -> str:
    return escape(family.name[:60])


if __name__ == "__main__":
    main()
