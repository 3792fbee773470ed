"""Settle a thread by keyboard: `python -m bench.deciding FILE.csv… --thread shakira`.

The base model is trained on FILES without that thread, and the thread is posted to a whole
Greenroom. Chromium decides each held comment with one key, its label being the verdict, and some of
the live ones, too. The output is the time from the key to the next painted comment, and how well
the site's own model learned from the decisions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import click
import numpy as np
from playwright.sync_api import Browser, Page

from models.classifier.training import corpus
from models.classifier.training.corpus import Row
from models.classifier.training.figures import figures
from tests.browser.chromium import chromium
from tests.greenroom import GREENROOM, Running, running, until

MOST_MS = 100
EMAIL, PASSWORD = "keys@paper.example", "correct horse battery"
PATIENCE = 300.0
KEY = {True: "KeyS", False: "KeyA"}  # by whether it is spam
# The first frame after the next comment is on the page, and then the end of that frame: now it is
# painted.
WATCH = """
(() => {
  window.took = [];
  let pressed = null, from = null;
  const shown = () => document.querySelector("#open .item")?.dataset.id ?? "";
  addEventListener("keydown", (event) => { pressed = event.timeStamp; from = shown(); }, true);
  const look = () => {
    if (pressed === null || shown() === from) return;
    const began = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = () => window.took.push(performance.now() - began);
      painted.port2.postMessage(0);
    });
  };
  addEventListener("DOMContentLoaded", () => {
    const open = document.getElementById("open");
    if (open) new MutationObserver(look).observe(open, { childList: true });
  });
})();
"""


class Paper(NamedTuple):
    """The site `demo` of a running Greenroom, with a key for it."""

    up: Running
    key: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        address = f"{self.up.url}/v1/sites/demo{path}"
        with urlopen(Request(address, content, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def queue(self, status: str) -> Iterator[dict[str, Any]]:
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            page = self.call(
                "GET",
                f"/queue?status={status}&limit=100&cursor={page['next']}".removesuffix("&cursor="),
            )
            yield from page["items"]

    def posted(self, rows: Sequence[Row], thread: str) -> dict[str, Row]:
        """Post every row and return it by its comment's id, once all are settled. Each commenter
        has an own address.
        """
        token, accepted = self.call("GET", "/form")["token"], {}
        time.sleep(5)  # no author writes faster
        for n, row in enumerate(rows):
            name, email = f"Reader {n}", f"{n}.{thread.strip('/')}@example.org"
            body = {
                "thread": thread,
                "name": name,
                "email": email,
                "body": row.text,
                "token": token,
            }
            accepted[self.call("POST", "/comments", body)["id"]] = row
        until(lambda: not any(True for _ in self.queue("pending")), PATIENCE)
        return accepted


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--thread", required=True, help="Whose comments are left out of training, posted, and settled."
)
@click.option("--pause", default=0.5, show_default=True, help="Seconds between two decisions.")
@click.option(
    "--read",
    default=100,
    show_default=True,
    help="How many of those that went live are decided as well.",
)
def main(files: Sequence[Path], thread: str, pause: float, read: int) -> None:
    rows = [row for row in corpus.read(files) if row.thread == thread]
    if not rows:
        raise click.BadParameter(f"No comment of these files stands in the thread {thread!r}.")
    with tempfile.TemporaryDirectory(prefix="greenroom-deciding-") as folder:
        model = Path(folder) / "without.npz"
        click.echo(f"training without {thread}")
        subprocess.run(
            [
                *GREENROOM,
                "train",
                *map(str, files),
                "--without-thread",
                thread,
                "--out",
                str(model),
            ],
            check=True,
            capture_output=True,
        )
        settings = {
            "GREENROOM_SPAM_MODEL": str(model),
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_LEARN_SECONDS": "1",
        }
        with running(Path(folder) / "var", GREENROOM_DNS="127.0.0.1:1", **settings) as up:
            sys.exit(_measure(Paper(up, up.key("admin")), rows, thread, pause, read))


def _measure(paper: Paper, rows: Sequence[Row], thread: str, pause: float, read: int) -> int:
    # Leave out repeats, because everything is posted twice, and addresses that this machine cannot
    # look up.
    often = {"max_same": 1000, "max_similar": 1000}
    paper.call(
        "PATCH",
        "/policy",
        {"could_not_run": {"email": "approve"}, "sample": {"share": 0}, "repeats": often},
    )
    labels = paper.posted(rows, f"/{thread}")
    before = _scores(paper, labels)
    click.echo(f"{len(labels)} comments posted: {_told(before)}")
    took, decided = _decided_by_keyboard(paper, labels, pause, read)
    _learned(paper, len(decided))
    after = _scores(paper, paper.posted(rows, f"/{thread}-again"))
    click.echo(f"posted again: {_told(after)}")
    others = [n for n, id_ in enumerate(labels) if id_ not in decided]
    for records in (list(before.values()), list(after.values())):
        name = "model " + ", ".join(
            sorted({record["version"] for record in records if record["version"]})
        )
        click.echo(f"  {name}, all: {_figures(records)}")
        click.echo(f"  {name}, those that nobody decided: {_figures([records[n] for n in others])}")
    return 0 if median(took) < MOST_MS else 1


def _scores(paper: Paper, labels: dict[str, Row]) -> dict[str, dict[str, Any]]:
    """Return for each comment, in the order of posting: its status, its label, and its spam
    probability.
    """
    found = {}
    for id_, row in labels.items():
        record = paper.call("GET", f"/comments/{id_}")
        judged = next(
            (each for each in record["evidence"] if each["check"] == "spam"),
            {"score": None, "version": ""},
        )
        found[id_] = {
            "status": record["status"],
            "spam": row.spam,
            **{name: judged[name] for name in ("score", "version")},
        }
    return found


def _told(records: dict[str, dict[str, Any]]) -> str:
    counted = Counter((record["status"], record["spam"]) for record in records.values())
    statuses = sorted({status for status, _ in counted})
    return "; ".join(
        f"{status} {counted[status, False]} ham, {counted[status, True]} spam"
        for status in statuses
    )


def _figures(records: Sequence[dict[str, Any]]) -> str:
    judged = [record for record in records if record["score"] is not None]
    spam = np.array([record["spam"] for record in judged])
    scores = np.clip([record["score"] for record in judged], 1e-9, 1 - 1e-9)
    found = figures(spam, np.log(scores / (1 - scores)))
    return (
        f"{len(spam)}, {spam.sum()} of them spam: AUC {found.auc:.4f}, F1 "
        f"{found.f1:.4f}, recall {found.recall:.4f}"
    )


def _learned(paper: Paper, decisions: int) -> None:
    """Wait until the site has learned from the last full twenty-five decisions."""
    due = decisions // 25 * 25

    def seen() -> list[dict[str, Any]]:
        models = paper.call("GET", "/models")["models"]
        return [
            each
            for each in models
            if each["decisions"]["approved"] + each["decisions"]["rejected"] >= due
        ]

    until(seen, PATIENCE)
    newest = seen()[0]
    click.echo(f"the site's model after {due}+ decisions: {newest['figures']}, {newest['why']}")


def _decided_by_keyboard(
    paper: Paper, labels: dict[str, Row], pause: float, read: int
) -> tuple[list[float], set[str]]:
    """Return the milliseconds from each key to the next comment painted in the queue, and the
    decided comments.
    """
    add = [
        *GREENROOM,
        "moderator",
        "add",
        EMAIL,
        "--site",
        "demo",
        "--role",
        "moderator",
        "--password-stdin",
    ]
    subprocess.run(
        add, input=PASSWORD, env=paper.up.environment, check=True, capture_output=True, text=True
    )
    decided: list[str] = []
    with chromium() as browser:
        page = _signed_in(browser, paper.up.url)
        took = _through_the_list(page, labels, pause, decided, len(labels))
        until(lambda: not any(True for _ in paper.queue("flagged")), PATIENCE)
        page.goto(f"{paper.up.url}/console/?tab=unread")
        page.wait_for_selector("html.scripted", state="attached")
        _through_the_list(page, labels, pause, decided, read)
        until(lambda: len(_settled_by_hand(paper, decided)) == len(decided), PATIENCE)
    return took, set(decided)


def _through_the_list(
    page: Page, labels: dict[str, Row], pause: float, decided: list[str], most: int
) -> list[float]:
    """Decide from the first comment on, each with its label; record it in `decided` by its id."""
    for n in range(most):
        if not page.locator("#open .item").count():
            break
        decided.append(str(page.locator("#open .item").get_attribute("data-id")))
        page.wait_for_timeout(1000 * pause)
        page.keyboard.press(KEY[labels[decided[-1]].spam])
        page.wait_for_function("count => took.length > count", arg=n)
    took: list[float] = page.evaluate("took")
    if took:
        figures = (
            f"median {median(took):.0f}, p95 {quantiles(took, n=20)[-1]:.0f}, "
            f"slowest {max(took):.0f} ms"
        )
        click.echo(
            f"{len(took)} decisions by keyboard, from the key to the next comment painted: "
            f"{figures}"
        )
    return took


def _settled_by_hand(paper: Paper, ids: Sequence[str]) -> list[str]:
    records = (paper.call("GET", f"/comments/{id_}") for id_ in ids)
    return [
        record["id"]
        for record in records
        if any(each["by"] != "policy" for each in record["decisions"])
    ]


def _signed_in(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(f"{url}/console/sign-in")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("html.scripted", state="attached")
    return page


if __name__ == "__main__":
    main()
