"""Start the parts, restart those that die or hang, and end everything when asked.

All of this happens in one loop on the main thread; only the parts' output is read by threads.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from urllib.parse import urlsplit

from models.classifier.file import model_path
from models.judgement.scores import SCORES
from models.settings import settings
from service.http.listening import any_port, near_address, public_url, until_free
from service.up.attention import Attention
from service.up.claim import Claim, Refused
from service.up.part import ENOUGH, REST_SECONDS, Part, end_in_order
from service.up.signs import Signs
from service.up.terminal import Terminal
from service.up.valkey import embedded
from worker.lifeline import UP

GREENROOM = [sys.executable, "-m", "service.commands.main"]
WORKERS = {"worker-screen": "screen,publish,deliver,learn"}  # part and its queues
WEB_SECONDS, WORKER_SECONDS, VALKEY_SECONDS = (
    5.0,
    6.0,
    2.0,
)  # seconds that each may take to end: 13 of the 15 that are promised


def up() -> None:
    """Run Greenroom until SIGTERM, SIGINT or SIGHUP. Raises Refused or PortTaken if it can't start
    or continue.
    """
    Supervisor().run()


class Supervisor:
    def __init__(self) -> None:
        self._attention = Attention()
        if not settings().port:
            os.environ["GREENROOM_PORT"] = str(any_port(settings().host))
            settings.cache_clear()
        self._data = settings().data.absolute()
        self._claim = Claim(self._data)
        self._terminal = Terminal()
        self._signs = Signs()
        self._parts: list[Part] = []
        self._environment = {
            # glibc gives each thread a separate heap, which together hold 20 MB per part
            "MALLOC_ARENA_MAX": "2",
            **os.environ,
            "GREENROOM_DATA": str(self._data),
            # a part's output appears at once, and is not lost when it is killed
            "PYTHONUNBUFFERED": "1",
            UP: str(os.getpid()),
        }

    def run(self) -> None:
        try:
            self._claim.wait(self._attention)
            until_free(settings().host, settings().port)
            _check_model()
            owner = (
                self._prepare()
            )  # first, because it makes the keys, and one is Valkey's password
            if not settings().redis_url and not self._attention.ended:
                self._start_valkey()
            self._start("web", [*GREENROOM, "serve"], patience=WEB_SECONDS)
            for name, queues in WORKERS.items():
                self._start(
                    name, [*GREENROOM, "worker", "--queues", queues], patience=WORKER_SECONDS
                )
            self._until_ready(owner)
            self._mind()
        finally:
            end_in_order(self._parts)
            self._attention.ignore()
            self._terminal.close()

    def _start(self, name: str, command: list[str], *, patience: float) -> None:
        if self._attention.ended:
            return
        part = Part(
            name, command, patience, self._environment, self._claim, self._terminal, self._signs
        )
        self._parts.append(part)
        part.start()

    def _start_valkey(self) -> None:
        valkey = embedded(self._data)
        self._environment["GREENROOM_REDIS_URL"] = valkey.url
        self._start("valkey", valkey.command, patience=VALKEY_SECONDS)
        self._signs.ask("valkey", urlsplit(valkey.url).port or 0)

    def _prepare(self) -> tuple[str, str] | None:
        """Migrate, and at the very first start get the owner's email and one-time password.

        A separate process does this, so that `up` stays small.
        """
        if self._attention.ended:
            return None
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            [*GREENROOM, "prepare"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            pass_fds=(self._claim.parts,),
        )
        assert process.stdout
        assert process.stderr
        self._terminal.follow("up", process.stderr)
        while process.poll() is None and not self._attention.ended:
            self._attention.wait(1)
        if process.poll() is None:
            process.kill()  # the next start continues the migration
            process.wait()
        elif process.returncode:
            raise Refused("The database could not be prepared. The lines above say why.")
        with process.stdout:
            email, _, password = process.stdout.read().decode().strip().partition(" ")
        return (email, password) if password else None

    def _until_ready(self, owner: tuple[str, str] | None) -> None:
        while not self._attention.ended:
            self._look_after_parts()
            if _answers():
                self._announce(owner)
                break
            self._attention.wait(0.1)

    def _announce(self, owner: tuple[str, str] | None) -> None:
        # made at once, when nobody waits for it any more
        from service.up.banner import banner  # noqa: PLC0415

        self._terminal.show(banner(public_url(), owner=owner, colours=self._terminal.colours))

    def _mind(self) -> None:
        while not self._attention.ended:
            self._look_after_parts()
            self._attention.wait(1)

    def _look_after_parts(self) -> None:
        self._start_what_died()
        silent = self._signs.silent()
        for part in self._parts:
            if part.name in silent:
                self._terminal.say(f"{part.name} does not respond: restarting it")
                part.replace()

    def _start_what_died(self) -> None:
        for part in self._parts:
            if part.is_due():
                part.start()
            elif (how := part.died()) is None:
                part.note_pid()
            elif not part.dies_too_often():
                self._terminal.say(f"{part.name} died {how}: restarting it")
                part.start()
            elif why := self._claim.trouble():
                self._terminal.say(
                    f"{part.name} died {how}, and {why}: retrying in {REST_SECONDS:.0f} s"
                )
                part.rest()
            else:
                raise Refused(
                    f"{part.name} died {ENOUGH} times within a minute, the last time {how}. "
                    "Stopped everything."
                )


def _check_model() -> None:
    """Check that the models can be loaded: without one every comment would be flagged, and nobody
    would know why.
    """
    for score in SCORES:
        if not model_path(score).is_file():
            setting = f"GREENROOM_{score.upper()}_MODEL"
            raise Refused(
                f"The {score} model {model_path(score)} is missing: correct or unset {setting}."
            )


def _answers() -> bool:
    """Whether the web process can serve readers and accept comments."""
    asking = http.client.HTTPConnection(near_address(), timeout=0.5)
    try:
        asking.request("GET", "/health/ready?for=writing")
        return asking.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
