"""The faults of a run: each one does its damage, holds it for its time, and then lets the part
continue.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from bench import slowly
from bench.chaos.system import System
from tests.fakes.dns_server import Mode

STOPPED_SECONDS = 5.0
# Longer than anything waits for a database: by then requests, workers and their probes have given
# up.
FROZEN_SECONDS = 15.0
SLOW_BODIES = 100
Fault = Callable[[System, random.Random], None]


def kill_web(system: System, _: random.Random) -> None:
    system.kill("web")


def kill_what_answers(system: System, _: random.Random) -> None:
    """Kill the web process that answers requests, while its parent lives."""
    system.kill("web", child=True)


def stop_web(system: System, _: random.Random) -> None:
    system.pause(["web"], STOPPED_SECONDS)


def kill_worker(system: System, chance: random.Random) -> None:
    system.kill(chance.choice(system.workers))


def kill_workers(system: System, _: random.Random) -> None:
    for worker in system.workers:
        system.kill(worker)


def stop_worker(system: System, chance: random.Random) -> None:
    system.pause([chance.choice(system.workers)], STOPPED_SECONDS)


def kill_valkey(system: System, _: random.Random) -> None:
    system.kill("valkey")


def stop_valkey(system: System, _: random.Random) -> None:
    system.pause(["valkey"], STOPPED_SECONDS)


def slow_bodies(system: System, _: random.Random) -> None:
    """Start clients that send one byte of their body and then nothing."""
    with suppress(OSError), slowly.slow_bodies(system.up.port, SLOW_BODIES):
        time.sleep(STOPPED_SECONDS)


def freeze_a_part(system: System, chance: random.Random) -> None:
    """Stop a part for longer than `up` waits for a heartbeat, so that `up` replaces it."""
    system.pause([chance.choice(["web", "worker-screen"])], FROZEN_SECONDS)


def black_hole(system: System, chance: random.Random) -> None:
    system.proxy.hole()
    time.sleep(chance.uniform(4, 10))
    system.proxy.mend(drop=chance.random() < 0.5)


def strand_links(system: System, _: random.Random) -> None:
    """Let every connection to the broker die silently, while new ones work (celery#10205)."""
    system.proxy.strand()


def flush_while_messages_wait(system: System, _: random.Random) -> None:
    with system.paused(system.workers):
        time.sleep(1.5)
        system.flush()


def storage_fails(system: System, chance: random.Random) -> None:
    with system.storage_away():
        time.sleep(chance.uniform(3, 6))


def dns_times_out(system: System, chance: random.Random) -> None:
    system.dns.mode = Mode.SILENCE
    time.sleep(chance.uniform(4, 8))
    system.dns.mode = Mode.ANSWER


def kill_postgres(system: System, _: random.Random) -> None:
    system.kill("postgres")


def stop_postgres(system: System, _: random.Random) -> None:
    system.pause(["postgres"], STOPPED_SECONDS)


def freeze_postgres(system: System, _: random.Random) -> None:
    system.pause(["postgres"], FROZEN_SECONDS)


def lock_sqlite(system: System, _: random.Random) -> None:
    """Let another process keep the SQLite file locked, as a foreign backup program may."""
    with system.sqlite_locked():
        time.sleep(FROZEN_SECONDS)


def fill_disk(system: System, chance: random.Random) -> None:
    """Fill the disk to the last byte; one part dies in the meantime."""
    with system.disk_full():
        time.sleep(chance.uniform(2, 4))
        system.kill(chance.choice(["web", "valkey", "worker-screen"]))
        time.sleep(chance.uniform(4, 6))


def damage_page(system: System, chance: random.Random) -> None:
    """Truncate the page that readers request first, as a failing disk would."""
    if pages := sorted((system.up.data / "published").rglob("newest.json")):
        system.damage(chance.choice(pages))


ON_POSTGRES: list[Fault] = [kill_postgres, stop_postgres, freeze_postgres]
ON_SQLITE: list[Fault] = [lock_sqlite]
ON_A_SMALL_DISK: list[Fault] = [fill_disk]
FAULTS: list[Fault] = [
    *(
        kill_web,
        kill_what_answers,
        stop_web,
        kill_worker,
        kill_workers,
        stop_worker,
        kill_valkey,
        stop_valkey,
    ),
    *(slow_bodies, freeze_a_part),
    *(black_hole, strand_links, flush_while_messages_wait, storage_fails, dns_times_out),
    *(damage_page, *ON_A_SMALL_DISK, *ON_POSTGRES, *ON_SQLITE),
]


def possible(*, database: str, has_small_disk: bool) -> list[Fault]:
    """Return the faults that make sense on this database and machine."""
    others = ON_SQLITE if database == "postgres" else ON_POSTGRES
    impossible = [*others, *([] if has_small_disk else ON_A_SMALL_DISK)]
    return [fault for fault in FAULTS if fault not in impossible]


def named(fault: Fault) -> str:
    return fault.__name__.replace("_", " ")


def due(
    faults: list[Fault], chance: random.Random, *, seconds: float
) -> Iterator[tuple[float, Fault]]:
    """Yield every fault in random order, repeatedly until the time is up, with the second at which
    it is due.
    """
    began, order = time.monotonic(), list[Fault]()
    while True:
        order = order or chance.sample(faults, len(faults))
        time.sleep(chance.uniform(1.0, 4.0))
        at = time.monotonic() - began
        if at > seconds:
            return
        yield at, order.pop()
