"""A whole Greenroom, a newspaper beside it, and Chromium to read it with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.newspaper import Newspaper
from tests.dns_server import DnsServer

COMMAND = Path(sys.executable).with_name("greenroom")
ZONE = {
    "com": {"NS": ["ns.com."]},
    "gmail.com": {"MX": ["10 mail.gmail.com."]},
    "mail.gmail.com": {"A": ["192.0.2.1"]},
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "mail.paper.test": {"A": ["192.0.2.2"]},
}
EASY: dict[str, Any] = {  # publishes at once: here one reader writes the same thing again and again
    "spam": {"flag_above": 1, "flag_above_with_hint": 1, "when_abstaining": "approve"},
    "repeats": {"max_same": 1000, "max_similar": 1000},
    "pace": {"max_per_minute": 10_000, "max_per_hour": 100_000},
}
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
READY_SECONDS = 60
expect.set_options(timeout=15_000)


class Greenroom(NamedTuple):
    """The service as it runs, and the key that may do everything on the newspaper's site."""

    url: str
    environment: dict[str, str]
    paper: str
    key: str

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.strip()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(self.url + path, json.dumps(body).encode() if body else None, headers, method=method)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def greenroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Greenroom]:
    data, port = tmp_path_factory.mktemp("greenroom"), _free_port()
    url = f"http://127.0.0.1:{port}"
    with DnsServer(ZONE) as dns, Newspaper(url) as paper, (data / "log").open("w") as log:
        ours = {"GREENROOM_DATA": str(data), "GREENROOM_DNS": dns.address, "GREENROOM_RATE_LIMITS": "off"}
        environment = {**os.environ, **ours, "GREENROOM_PORT": str(port)}
        up = [COMMAND, "up", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)]
        with subprocess.Popen(up, env=environment, stdout=log, stderr=log) as process:
            try:
                _until_ready(url, process, data / "log")
                start = Greenroom(url, environment, paper.origin, "")
                for site in ("paper", "careful"):
                    start.run("site", "add", site, "--origin", paper.origin)
                _welcome(start, "demo", EASY)
                _welcome(start, "careful", {"moderation": "before"})
                yield _welcome(start, "paper", EASY)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.fail("These tests need a browser: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a fresh browser. Whatever the page complains about fails the test."""
    contexts, complaints = [], []

    def hear(message: ConsoleMessage) -> None:
        expected = "favicon" in message.location["url"] or "the server responded with a status of" in message.text
        if message.type in {"error", "warning"} and not expected:
            complaints.append(message.text)

    def open_page(url: str, **traits: Any) -> Page:
        context = chromium.new_context(locale="en-GB", **traits)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a script ran: {dialog.message}"))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _welcome(greenroom: Greenroom, site: str, policy: dict[str, Any]) -> Greenroom:
    owner = greenroom._replace(key=greenroom.run("key", "create", "--site", site, "--scope", "admin"))
    owner.call("PUT", f"/v1/sites/{site}/policy", policy)
    return owner


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/health/system", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"Greenroom did not start:\n{log.read_text()[-4000:]}")
