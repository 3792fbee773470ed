"""The system under load: `greenroom up`, a second worker, Valkey behind a proxy, a DNS server."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psutil
import redis

from bench.chaos.proxy import Proxy
from service.up.valkey import embedded
from tests.chaos.full_disk import Disk
from tests.fakes.dns_server import DnsServer, Mode
from tests.greenroom import Running, running

ZONE = {
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "slow.test": {"MX": ["10 mail.slow.test."]},
    "gone.test": Mode.NXDOMAIN,
}
REST_SECONDS = 1.0  # before restarting a killed part of ours


class Part(Protocol):
    process: subprocess.Popen[bytes] | None

    def start(self) -> None: ...


@dataclass
class Minded:
    """A part that we run ourselves, restarted when it dies, as a supervisor would."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, number: int = signal.SIGTERM) -> None:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class System:
    up: Running
    proxy: Proxy
    dns: DnsServer
    redis_url: str
    folder: Path
    disk: Disk | None = None  # a disk for the data folder that can be filled
    minded: dict[str, Part] = field(default_factory=dict)
    workers = ("worker-screen", "worker-more")

    def pid(self, part: str) -> int:
        process = self.minded[part].process if part in self.minded else None
        return process.pid if process else self.up.pid(part)

    def kill(self, part: str, *, child: bool = False) -> None:
        """Kill it with all its processes, or only the processes that it has started."""
        for process in self._processes(part)[1 if child else 0 :]:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    @contextmanager
    def paused(self, parts: Sequence[str]) -> Iterator[None]:
        processes = [process for part in parts for process in self._processes(part)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def pause(self, parts: Sequence[str], seconds: float) -> None:
        with self.paused(parts):
            time.sleep(seconds)

    def flush(self) -> None:
        with redis.Redis.from_url(self.redis_url, socket_timeout=5) as broker:
            broker.flushall()

    @contextmanager
    def storage_away(self) -> Iterator[None]:
        """Put a file in the place of the folder of published pages, so that every read and write
        fails.
        """
        folder, away = self.up.data / "published", self.up.data / "published-away"
        folder.rename(away)
        folder.touch()
        try:
            yield
        finally:
            folder.unlink()
            away.rename(folder)

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        assert self.disk
        self.disk.fill()
        try:
            yield
        finally:
            self.disk.free()

    @contextmanager
    def sqlite_locked(self) -> Iterator[None]:
        other = sqlite3.connect(self.up.data / "greenroom.db", isolation_level=None, timeout=30)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()

    def damage(self, page: Path) -> None:
        """Truncate a published page to its first half, unless it was replaced just now."""
        with suppress(FileNotFoundError):
            os.truncate(page, page.stat().st_size // 2)

    def mind(self) -> None:
        for part in self.minded.values():
            if part.process and part.process.poll() is not None:
                time.sleep(REST_SECONDS)
                part.start()

    def _processes(self, part: str) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess, FileNotFoundError):
            first = psutil.Process(self.pid(part))
            return [first, *first.children(recursive=True)]
        return []

    @property
    def logs(self) -> list[Path]:
        return [
            self.up.log,
            *(part.log for part in self.minded.values() if isinstance(part, Minded)),
        ]


@contextmanager
def system(
    folder: Path,
    environment: dict[str, str],
    command: list[str],
    parts: dict[str, Part],
    *,
    disk: Disk | None = None,
) -> Iterator[System]:
    """Start everything and wait until it is ready. `parts` are already running and are restarted
    when they die. `disk` is a separate disk for the data folder.
    """
    data = folder / "var"
    with ExitStack() as stack:
        valkey = embedded(data)
        broker = Minded("valkey", valkey.command, folder / "valkey.log")
        broker.start()
        stack.callback(broker.end)
        address = urlsplit(valkey.url)
        proxy = stack.enter_context(Proxy(int(address.port or 0)))
        dns = stack.enter_context(DnsServer(ZONE))
        around = {
            **environment,
            "GREENROOM_REDIS_URL": valkey.url.replace(f":{address.port}/", f":{proxy.port}/"),
            "GREENROOM_DNS": dns.address,
            "GREENROOM_RATE_LIMITS": "off",
        }
        up = stack.enter_context(running(data, command=command, **around))
        more = Minded(
            "worker-more", [*command, "worker"], folder / "worker-more.log", up.environment
        )
        more.start()
        stack.callback(more.end)
        minded = {**parts, "valkey": broker, "worker-more": more}
        whole = System(up, proxy, dns, valkey.url, folder, disk, minded)
        with _minding(whole):
            yield whole


@contextmanager
def _minding(whole: System) -> Iterator[None]:
    """Run a thread that restarts dead parts until the block ends. (Valkey ends with the thread that
    started it.)
    """
    ending = threading.Event()

    def mind() -> None:
        while not ending.wait(0.2):
            whole.mind()

    minder = threading.Thread(target=mind, daemon=True)
    minder.start()
    try:
        yield
    finally:
        ending.set()
        minder.join()
