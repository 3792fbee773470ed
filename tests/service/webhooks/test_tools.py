"""Tools for receivers of webhooks: the examples of the docs, unchanged; `listen`; the check; the
chats.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from models.store.database import now, reading
from models.webhooks import signatures
from models.webhooks.owed import overdue_endpoints
from service.api import docs
from tests.caller import Caller, Client, posted
from tests.fakes.receiver import Receiver
from tests.greenroom import GREENROOM, PATIENCE
from worker.webhooks.sending import deliver_now

NODE = shutil.which("node") or shutil.which("nodejs")
RUN = {"Python": [sys.executable], "JavaScript": [NODE or "node"]}
SECRET = signatures.new_secret()
BODY = json.dumps(
    {"type": "webhook.test", "timestamp": "2026-01-01T00:00:00Z", "data": {}}
).encode()


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


@contextmanager
def listening(
    command: list[str], secret: str = SECRET
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a receiver in a separate process on a free port, which its first line names."""
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = re.search(r"(?:port |:)(\d+)", process.stdout.readline())
            assert found
            yield int(found[1]), process
        finally:
            process.terminate()


def example(language: str) -> list[str]:
    if language == "JavaScript" and NODE is None:
        pytest.fail("These tests need Node: apt-get install nodejs")
    return [*RUN[language], str(docs.EXAMPLES / docs.FILES[language]), "0"]


def send(port: int, headers: dict[str, str], body: bytes = BODY) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status


def signed(secret: str = SECRET, *, ago: int = 0) -> dict[str, str]:
    return signatures.headers(
        [signatures.new_secret(), secret], "msg_1", int(time.time()) - ago, BODY
    )


@pytest.mark.parametrize("language", RUN)
def test_the_examples_of_the_docs_accept_our_messages_and_refuse_others(language: str) -> None:
    with listening(example(language)) as (port, _):
        assert send(port, signed()) == 204
        assert send(port, signed(signatures.new_secret())) == 400
        assert send(port, signed(ago=301)) == 400
        assert send(port, {**signed(), "webhook-id": "msg_2"}) == 400
        assert send(port, {}) == 400
        assert send(port, signed(), BODY + b" ") == 400


@pytest.mark.parametrize("language", RUN)
def test_the_page_of_the_docs_shows_the_examples_that_are_run(
    client: Client, language: str
) -> None:
    page = client.get("/docs/webhooks")
    assert page.status_code == 200
    shown = (
        page.text.replace("&#34;", '"')
        .replace("&#39;", "'")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
    )
    assert (docs.EXAMPLES / docs.FILES[language]).read_text().strip() in shown.replace("&amp;", "&")


def test_listen_verifies_and_prints_messages() -> None:
    with listening([*GREENROOM, "webhook", "listen", "--port", "0", "--secret", SECRET]) as (
        port,
        process,
    ):
        assert send(port, signed()) == 204
        assert process.stdout
        assert process.stdout.readline() == "verified: webhook.test msg_1\n"
        assert send(port, signed(signatures.new_secret())) == 400
        told = next(line for line in process.stdout if "refused" in line)
        assert "signature is not by this secret" in told


@pytest.mark.parametrize("length", ["", "-1", "+5", "9" * 5000])
def test_listen_refuses_a_message_of_no_sensible_length(length: str) -> None:
    with (
        listening([*GREENROOM, "webhook", "listen", "--port", "0", "--secret", SECRET]) as (
            port,
            _,
        ),
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection,
    ):
        connection.sendall(f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.0 411 ")


def test_listen_needs_a_secret_in_its_printed_form() -> None:
    command = [*GREENROOM, "webhook", "listen", "--port", "0", "--secret", "gr_something"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "begins with whsec_" in done.stderr


def make(moderator: Caller, url: str, **more: Any) -> Any:
    answer = moderator.call("POST", "/webhooks", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_the_check_finds_nothing_wrong_with_the_example_of_the_docs(
    moderator: Caller, tmp_path: Path
) -> None:
    with Receiver() as placeholder:
        webhook = make(moderator, placeholder.url, events=["comment.approved"])
    with listening(example("Python"), webhook["secret"]) as (port, _):
        moderator.call(
            "PATCH", f"/webhooks/{webhook['id']}", json={"url": f"http://127.0.0.1:{port}/"}
        )
        told = moderator.call("POST", f"/webhooks/{webhook['id']}/check").json
    assert told is not None
    assert [case["case"] for case in told["cases"] if not case["handled"]] == []
    assert told["handled"] is True
    assert len(told["cases"]) == 7


def test_the_check_reports_the_faults_of_a_careless_receiver(moderator: Caller) -> None:
    with Receiver() as careless:  # it accepts everything
        webhook = make(moderator, careless.url, events=["comment.approved"])
        told = moderator.call("POST", f"/webhooks/{webhook['id']}/check").json
    assert told is not None
    wrong = {case["case"]: case["advice"] for case in told["cases"] if not case["handled"]}
    assert wrong.keys() == {"bad signature", "old timestamp"}
    assert all(wrong.values())


@pytest.mark.parametrize("chat", ["slack", "discord", "mattermost", "teams"])
def test_a_chat_gets_flagged_comments_many_in_one_message_with_a_link_to_the_console(
    moderator: Caller, chat: str
) -> None:
    with Receiver() as receiver:
        make(moderator, receiver.url, format=chat)
        for number in range(8):
            comment = posted(
                moderator.client,
                name="@everyone <b>",
                body=f"Hello <!channel> [x](https://evil.example) {number}",
            )
            moderator.decide(comment, "flag", reason="spam")
        moderator.decide(comment, "approve")
        with reading() as session:
            owed = overdue_endpoints(session, now() + timedelta(seconds=1))
        deliver_now(owed)
    assert len(receiver.got) == 1
    told = receiver.got[0].content.decode()
    assert "8 comments are waiting" in told
    assert "and 3 more" in told
    assert "/console/" in told
    assert "webhook-signature" not in receiver.got[0].headers
    body = receiver.got[0].body
    text = (
        json.dumps(body["attachments"][0]["content"]["body"])
        if chat == "teams"
        else body.get("text") or body["content"]
    )
    assert "@everyone" not in text
    assert "<!channel>" not in text
    assert "](https://evil" not in text
    assert "ann@example.org" not in text
