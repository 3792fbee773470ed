"""The pages in `examples/`, opened as its README says."""

from __future__ import annotations

import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from models.settings import Settings
from tests.browser.conftest import ZONE
from tests.fakes.dns_server import DnsServer
from tests.greenroom import PATIENCE, Running, running

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
SERVICE = "http://127.0.0.1:8000"  # as the examples name it
PAPER = "http://127.0.0.1:8080"
COMMENT = (
    "My grandfather lived at number twelve, and he left his curtains open until he was ninety, "
    "just in case the lamps should fail again."
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def greenroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Greenroom as `make run` starts it, on a free port."""
    folder = tmp_path_factory.mktemp("examples") / "data"
    with DnsServer(ZONE) as dns, running(folder, **dns.environment) as service:
        yield service


@pytest.fixture(scope="module")
def paper(greenroom: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The examples, served on a free port and with this Greenroom's port instead of the default."""
    folder = tmp_path_factory.mktemp("served") / "examples"
    shutil.copytree(EXAMPLES, folder)
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert SERVICE in text
        page.write_text(text.replace(SERVICE, greenroom.url), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        origin = f"http://127.0.0.1:{server.server_port}"
        for command in _greenroom_commands():
            greenroom.command(*shlex.split(command.replace(PAPER, origin)))
        yield origin
        server.shutdown()
        thread.join()


def _greenroom_commands() -> list[str]:
    """Return the commands that the README tells the reader to type."""
    commands = re.findall(r"^\.venv/bin/greenroom (.+)$", README, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["site", "moderator"]
    return commands


def test_the_examples_name_the_default_address() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert f"http://{defaults['host']}:{defaults['port']}" == SERVICE


def test_a_comment_on_the_plain_embed_is_published_and_shown_to_moderators(
    greenroom, paper, open_page
):
    page = open_page(f"{paper}/plain-embed/?from=newsletter")
    expect(page.get_by_role("heading", name="The last lamplighter")).to_be_visible()
    page.get_by_label("Comment").fill(COMMENT)
    page.get_by_label("Name").fill("Ann")
    page.get_by_label("Email").fill("ann@paper.test")
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()

    page.goto(f"{paper}/plain-embed/")
    expect(page.get_by_text(COMMENT)).to_be_visible()

    _sign_in(page, greenroom)
    page.goto(f"{greenroom.url}/console/?tab=approved")
    expect(page.get_by_role("link").filter(has_text=COMMENT[:40])).to_be_visible()


def test_the_plain_embed_leads_to_the_thread_without_javascript(paper, open_page):
    page = open_page(f"{paper}/plain-embed/", java_script_enabled=False)
    page.get_by_role("link", name="Read and leave comments").click()
    expect(page.get_by_role("button", name="Post comment")).to_be_visible()


def _sign_in(page: Page, greenroom: Running) -> None:
    """Sign in with the password that `make run` printed, and choose a new one."""
    email, password = greenroom.owner
    page.goto(f"{greenroom.url}/console/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/password", timeout=1000 * PATIENCE)
    page.get_by_label("Temporary password").fill(password)
    page.get_by_label("New password").fill("the last lamplighter of tern street")
    page.get_by_label("New password").press("Enter")
    page.wait_for_url(f"{greenroom.url}/console/", timeout=1000 * PATIENCE)
