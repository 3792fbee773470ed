"""After an erasure, no file of the data folder contains anything of the comment, while the service
runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.dns_server import DnsServer
from tests.fakes.receiver import Receiver
from tests.greenroom import Running, running, until
from tests.story.test_story import ZONE, ask, on_page, outcome, write

# Each of these words is in no other file. A search index stores a word without the beginning that
# it shares with the word before it.
WORDS = ("quobbleflump", "zanthorwick", "Vexillqua")
NAME, EMAIL, HOST = "Wilhelmarina", "wilhelmarina@paper.test", "jubblethorn.example"
TRACES = [*(word.lower().encode()[2:] for word in WORDS), b"lhelmarina", b"bblethorn"]


@pytest.fixture(scope="module")
def greenroom(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("erasure") / "var"
    with DnsServer(ZONE) as dns:
        variables = dns.environment | {
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_SWEEP_SECONDS": "1",
        }
        with running(
            data, like=sqlite_template, **variables, GREENROOM_WEBHOOK_ALLOW_PRIVATE="true"
        ) as up:
            yield up


def left(data: Path) -> list[str]:
    """Return the files that contain something of the comment. A backup would, too, and the guide
    says so.
    """
    found = []
    for file in sorted(path for path in data.rglob("*") if path.is_file()):
        try:
            content = file.read_bytes().lower()
        except FileNotFoundError:  # replaced meanwhile
            continue
        found += [
            f"{file.relative_to(data)}: {trace.decode()}" for trace in TRACES if trace in content
        ]
    return found


def test_no_file_contains_anything_of_an_erased_comment(greenroom: Running) -> None:
    key = greenroom.key()
    with Receiver() as receiver:
        endpoint = {"url": receiver.url, "events": ["comment.approved"]}
        assert ask(greenroom, "POST", "/v1/sites/demo/webhooks", endpoint, key)[0] == 201
        others = [
            write(greenroom, body=f"An ordinary remark about the harbour, number {n}")
            for n in range(30)
        ]
        erased = write(
            greenroom, name=NAME, email=EMAIL, website=f"https://{HOST}/",
            body=" ".join(WORDS) + " and a word or two more about the harbour",
        )  # fmt: skip
        others += [
            write(greenroom, body=f"A later remark about the harbour, number {n}")
            for n in range(30)
        ]
        for accepted in (*others, erased):
            outcome(greenroom, accepted)
        ask(
            greenroom,
            "POST",
            f"/v1/sites/demo/comments/{erased['id']}/decisions",
            {"verdict": "approve"},
            key,
        )
        until(lambda: on_page(greenroom, erased["id"]))
        assert left(greenroom.data)

        assert ask(greenroom, "DELETE", f"/v1/sites/demo/comments/{erased['id']}", key=key)[0] in {
            200,
            204,
        }
        until(lambda: not left(greenroom.data))
        write(greenroom, body="The service goes on")
