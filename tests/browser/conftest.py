"""A whole Greenroom, a newspaper beside it, and Chromium to read it with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
)

from tests.browser.chromium import chromium
from tests.browser.console import served
from tests.browser.newspaper import Newspaper
from tests.caller import Client
from tests.fakes.dns_server import DnsServer
from tests.fakes.mail_server import MailServer
from tests.greenroom import PATIENCE, Running, running

ZONE = {
    "com": {"NS": ["ns.com."]},
    "gmail.com": {"MX": ["10 mail.gmail.com."]},
    "mail.gmail.com": {"A": ["192.0.2.1"]},
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "mail.paper.test": {"A": ["192.0.2.2"]},
}
EASY: dict[str, Any] = {  # publishes at once: here one reader writes the same thing again and again
    "spam": {
        "flag_above": 1,
        "flag_above_with_hint": 1,
        "flag_above_little_known": 1,
        "when_abstaining": "approve",
    },
    "abuse": {"flag_above": 1},
    "repeats": {"max_same": 1000, "max_similar": 1000},
    "pace": {"max_per_minute": 10_000, "max_per_hour": 100_000},
}
expect.set_options(timeout=1000 * PATIENCE)


class Greenroom(NamedTuple):
    """The running service, its newspaper's address, a caller who may do everything on the site
    `paper`, that site's secret for sign-on, and the server that takes the service's mail.
    """

    url: str
    paper: str
    call: Callable[..., Any]
    secret: str
    mail: MailServer


@pytest.fixture(scope="package")
def greenroom(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Greenroom]:
    with (
        DnsServer(ZONE) as dns,
        MailServer() as mail,
        running(
            tmp_path_factory.mktemp("greenroom"),
            **dns.environment,
            GREENROOM_RATE_LIMITS="off",
            GREENROOM_SMTP_URL=mail.url,
            GREENROOM_MAIL_FROM="comments@paper.test",
            GREENROOM_MAIL_DELAY_SECONDS="0",
        ) as service,
        Newspaper(service.url) as paper,
    ):
        keys = _site_keys(service, paper.origin)
        for site, policy in {
            "demo": EASY,
            "paper": EASY,
            "careful": {"moderation": "before"},
        }.items():
            _caller(service, keys[site])("PATCH", f"/v1/sites/{site}/policy", policy)
        call = _caller(service, keys["paper"])
        yield Greenroom(service.url, paper.origin, call, keys["sign-on"], mail)


# One process, where five commands would each start one.
SITES = """
import json, sys
from service.people import accounts
from service.readers.sign_on import create_secret
from service.sites import registering
from service.sites.lookup import find_site
for site in ("paper", "careful"):
    registering.add_site(site, [sys.argv[1]])
sites = ("demo", "paper", "careful")
keys = {site: accounts.create_key(site, "admin") for site in sites}
secret = create_secret(find_site("paper").id, by="tests")
print(json.dumps({**keys, "sign-on": secret}))
"""


def _site_keys(service: Running, origin: str) -> dict[str, str]:
    """Add the newspaper's sites; return a key with all rights for each site, and a secret for
    sign-on to `paper`.
    """
    done = subprocess.run(
        [sys.executable, "-c", SITES, origin],
        env=service.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return dict(json.loads(done.stdout))


def _caller(service: Running, key: str) -> Callable[..., Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(method: str, path: str, body: Any = None) -> Any:
        content = json.dumps(body).encode() if body else None
        with urlopen(
            Request(service.url + path, content, headers, method=method), timeout=PATIENCE
        ) as answer:
            return json.load(answer)

    return call


@pytest.fixture(scope="package", name="chromium")
def _chromium() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def url(client: Client) -> Iterator[str]:
    """The service in this process, with the test's database."""
    with served(client.application) as address:
        yield address


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a fresh browser. A logged error, or a script that ran, fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        refused = (
            "the server responded with a status of" in message.text
        )  # an answer the test asked for
        if message.type in {"error", "warning"} and not refused:
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
