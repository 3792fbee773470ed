"""The console in a browser: its own server with the test's database, waiting comments, and a
signed-in person.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from models.records import Comment
from models.store.database import reading
from service.people import accounts
from tests.caller import Client, posted, screen_all

PASSWORD = "correct horse battery"
LINKS = "https://a.example https://b.example https://c.example"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


class _Handler(WSGIRequestHandler):
    timeout = 5  # ends connections that a browser opened and never used, too


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Run the service in this process, on its own port."""
    server: Any = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    server.daemon_threads = (
        False  # closing waits for the last answers, so that none is given during another test
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_in_line(client: Client, count: int, **fields: Any) -> list[str]:
    """Add that many comments that are held for their links, oldest first, by Reader 1, Reader
    2, …
    """
    ids = [
        posted(
            client,
            **{
                "name": f"Reader {n}",
                "email": f"r{n}@mail.example",
                "body": f"Number {n} {LINKS}",
                **fields,
            },
        )
        for n in range(1, count + 1)
    ]
    screen_all()
    return ids


def sign_in(
    page: Page,
    url: str,
    email: str = "ann@paper.example",
    *,
    role: str = "owner",
    site: str = "demo",
    is_scripted: bool = True,
) -> None:
    """Sign in and open the queue; wait until it reacts to keys.

    The form is filled in only without script. Two more tests fill it in with script, and loading it
    takes a quarter of a second.
    """
    accounts.add_moderator(email, site, role, PASSWORD)
    if is_scripted:
        form = {"email": email, "password": PASSWORD}
        answer = page.request.post(f"{url}/console/sign-in", form=form, max_redirects=0)
        assert answer.status == 303
        page.goto(f"{url}/console/")
        ready(page)
        return
    page.goto(f"{url}/console/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Greenroom")).to_be_visible()


def ready(page: Page) -> None:
    """Wait until keys decide the comment that the list marks as open."""
    expect(page.locator("html.scripted #open:not([aria-busy])")).to_have_count(1)


def press(page: Page, key: str) -> None:
    """Press a key that acts on the open comment, once that comment is on the screen."""
    ready(page)
    page.keyboard.press(key)


def statuses() -> dict[str, str]:
    """Return the status of each comment by the name of its author."""
    with reading() as session:
        return {comment.name: comment.status for comment in session.query(Comment)}


def shown(page: Page) -> str:
    """Return whose comment is open."""
    return page.locator(".item h1").inner_text()


# The rules of axe-core that look at colours: only for these does it matter whether a page is dark.
OF_COLOURS = ["color-contrast", "link-in-text-block"]


def findings(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return the serious problems that axe-core finds on this page, by all rules or by some."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE)
    options = {"resultTypes": ["violations"]} | (
        {"runOnly": {"type": "rule", "values": [*rules]}} if rules else {}
    )
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
