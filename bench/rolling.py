"""`python -m bench.rolling [--old REVISION]`: restart process by process under load, without a
failed request.

Two web processes run behind the real front, with a worker and PostgreSQL. The new code migrates the
database. Then one web process after the other is replaced while old workers run, then the workers;
then the web processes go back to the old version beside new workers, as in a rollback. Exit status
1 if a request got a 5xx or no answer, or if a rule of `make chaos` does not hold afterwards.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.accepting import is_listening
from bench.chaos.load import Load
from bench.chaos.quiet import is_quiet
from bench.chaos.system import Minded
from bench.chaos.told import Told, lines
from bench.chaos.truths import Records, violations
from models.settings import settings
from models.store.database import engine
from service.up.valkey import embedded
from tests.deploy.asking import ask
from tests.deploy.front import front
from tests.fakes.postgres import postgresql
from tests.greenroom import free_port, until

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60.0
STEADY_SECONDS = (
    4.0  # between two replacements: twice as long as the front avoids an address that failed
)
WEB, WORKER = ("web-1", "web-2"), "worker"


@dataclass
class Rolling:
    """The running parts, each from one of two checkouts."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in WEB})
    running: dict[str, Minded] = field(default_factory=dict)

    def command(self, code: Path, *words: str) -> str:
        return subprocess.run(
            [*_greenroom(code), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()

    def replace(self, name: str, code: Path) -> None:
        """End a part, as a supervisor would, start it from that checkout, and wait until it can
        serve.
        """
        if name in self.running:
            self.running[name].end()
        port = self.ports.get(name)
        words = ["serve"] if port else ["worker"]
        variables = self.environment | ({"GREENROOM_PORT": str(port)} if port else {})
        part = Minded(name, [*_greenroom(code), *words], self.folder / f"{name}.log", variables)
        part.start()
        self.running[name] = part
        if port:
            ready = "/health/ready?for=writing"
            until(
                lambda: is_listening(port) and ask(port, "GET", ready).status == 200,
                PATIENCE_SECONDS,
            )

    def end(self) -> None:
        for part in self.running.values():
            part.end()


def _greenroom(code: Path) -> list[str]:
    """Return the command of a checkout, wherever it is started."""
    script = f"import sys; sys.path.insert(0, {str(code)!r}); sys.argv[0] = 'greenroom'"
    return [sys.executable, "-c", f"{script}; from service.commands.main import main; main()"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__)
    parser.add_argument(
        "--old",
        help="the revision of git that runs at first; without it, this checkout takes turns",
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="greenroom-rolling-") as name:
        folder = Path(name)
        told = folder / "told.jsonl"
        with _parts(folder) as rolling:
            _roll(rolling, _checkout(asked.old, folder / "old"), told, seed=asked.seed)
            broken = [truth for truth, found in violations(Records(told)).items() if found]
            engine().dispose()
        return _report(told, broken)


def _checkout(revision: str | None, folder: Path) -> Path:
    if revision is None:
        return ROOT
    packed = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextmanager
def _parts(folder: Path) -> Iterator[Rolling]:
    """Start the parts that are never replaced: the stores. This process uses the same ones."""
    with ExitStack() as stack:
        server = stack.enter_context(postgresql())
        valkey = embedded(folder / "var")
        broker = Minded("valkey", valkey.command, folder / "valkey.log")
        broker.start()
        stack.callback(broker.end)
        named = {
            "GREENROOM_DATA": str(folder / "var"),
            "GREENROOM_DATABASE_URL": server.url(),
            "GREENROOM_REDIS_URL": valkey.url,
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_DNS": "127.0.0.1:1",
            "GREENROOM_PROXY_HOPS": "1",
        }
        os.environ.update(named)
        settings.cache_clear()
        rolling = Rolling(folder, dict(os.environ))
        stack.callback(rolling.end)
        yield rolling


def _roll(rolling: Rolling, old: Path, told: Path, *, seed: int) -> None:
    rolling.command(old, "migrate")
    rolling.command(old, "site", "add", "demo", "--origin", "https://paper.example")
    key = rolling.command(old, "key", "create", "--site", "demo", "--scope", "admin")
    for name in (*WEB, WORKER):
        rolling.replace(name, old)
    published = rolling.folder / "var" / "published"
    published.mkdir(exist_ok=True)
    ports = list(rolling.ports.values())
    with front(published, web_port=ports[0], more_web_ports=ports[1:]) as port, Told(told) as log:
        with Load(port, key, seed, log):
            time.sleep(STEADY_SECONDS)
            _say("new: migrate")
            rolling.command(ROOT, "migrate")
            for version, code, name in [
                *(("new", ROOT, name) for name in (*WEB, WORKER)),
                *(("old", old, name) for name in WEB),
                *(("new", ROOT, name) for name in WEB),
            ]:
                _say(f"{version}: {name}")
                rolling.replace(name, code)
                time.sleep(STEADY_SECONDS)
        _say("until all is quiet")
        until(is_quiet, PATIENCE_SECONDS)


def _report(told: Path, broken: list[str]) -> int:
    wrong = Counter(f"{line['path'].partition('?')[0]} {line['status']}" for line in _failed(told))
    wrong.update(f"{line['path']} {line['error']}" for line in lines(told, "unanswered"))
    counts = {what: sum(1 for _ in lines(told, what)) for what in ("accepted", "decided")}
    print(
        f"{counts['accepted']:,} comments accepted, {counts['decided']:,} decisions; all read "
        "through the front"
    )
    print(f"answered with 5xx or not at all: {wrong.total()}")
    for what, times in wrong.most_common():
        print(f"  {times} × {what}")
    print("\n".join(f"broken: {truth}" for truth in broken) or "every truth holds")
    return 1 if wrong or broken else 0


def _failed(told: Path) -> Iterator[dict[str, object]]:
    return (line for line in lines(told, "answered") if line["status"] >= 500)


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
