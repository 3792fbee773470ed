"""One comment from the form to the page, with everything real: `greenroom up`, its queue, its
workers, its storage.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from models.logs import ALLOWED
from tests.fakes.dns_server import DnsServer
from tests.fakes.postgres import PostgreSQL
from tests.fakes.receiver import Receiver
from tests.greenroom import PATIENCE, Running, running, until

ZONE = {
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "mail.paper.test": {"A": ["192.0.2.1"]},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def greenroom(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("story") / "var"
    with DnsServer(ZONE) as dns, ExitStack() as database:
        environment = dns.environment | {"GREENROOM_RATE_LIMITS": "off"}
        environment["GREENROOM_WEBHOOK_ALLOW_PRIVATE"] = "true"
        if request.param == "postgresql":
            server: PostgreSQL = request.getfixturevalue("postgres")
            environment["GREENROOM_DATABASE_URL"] = database.enter_context(server.database("story"))
        with running(data, **environment) as up:
            yield up


def ask(up: Running, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    content = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(
            Request(up.url + path, content, headers, method=method), timeout=PATIENCE
        ) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except HTTPError as error:
        return error.code, json.load(error)


def eventually(look: Callable[[], Any]) -> Any:
    seen: list[Any] = []
    until(lambda: seen.append(look()) or seen[-1])
    return seen[-1]


def write(up: Running, **fields: Any) -> dict[str, Any]:
    comment = {"thread": "/demo", "name": "Ann", "email": "ann@paper.test", **fields}
    status, accepted = ask(up, "POST", "/v1/sites/demo/comments", comment)
    assert status == 202, accepted
    assert accepted["status"] == "pending"
    return dict(accepted)


def outcome(up: Running, accepted: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt, once the comment is settled."""

    def settled() -> dict[str, Any] | None:
        _, receipt = ask(up, "GET", accepted["receipt"])
        return receipt if receipt["status"] != "pending" else None

    return dict(eventually(settled))


def on_page(up: Running, comment: str) -> bool:
    _, page = ask(up, "GET", "/v1/sites/demo/comments?thread=/demo")
    return any(
        comment in {shown["id"], *(reply["id"] for reply in shown["replies"])}
        for shown in page["comments"]
    )


def test_a_good_comment_is_published_answered_and_taken_down_again(greenroom: Running) -> None:
    key = greenroom.key("moderate")
    good = write(
        greenroom, body="Thank you for this piece. I grew up two streets from the harbour."
    )
    assert outcome(greenroom, good)["status"] == "approved"
    eventually(lambda: on_page(greenroom, good["id"]))

    answer = write(
        greenroom, name="Bob", parent=good["id"], body="So did I, on the other side of the bridge."
    )
    eventually(lambda: on_page(greenroom, answer["id"]))

    status, _ = ask(
        greenroom,
        "POST",
        f"/v1/sites/demo/comments/{answer['id']}/decisions",
        {"verdict": "reject"},
        key,
    )
    assert status == 201
    eventually(lambda: not on_page(greenroom, answer["id"]))
    assert outcome(greenroom, answer)["status"] == "rejected"

    status, _ = ask(greenroom, "POST", f"/v1/sites/demo/comments/{answer['id']}/undo", {}, key)
    assert status == 201
    eventually(lambda: on_page(greenroom, answer["id"]))

    _, log = ask(greenroom, "GET", "/v1/sites/demo/events", key=key)
    about = [
        event["type"] for event in log["events"] if event["data"]["comment"]["id"] == answer["id"]
    ]
    assert about == ["comment.approved", "comment.rejected", "comment.approved"]


def test_another_system_gets_an_approval_when_the_page_shows_it_and_the_event_that_ends_it(
    greenroom: Running,
) -> None:
    key = greenroom.key("admin")
    with Receiver() as receiver:
        wanted = {"url": receiver.url, "events": ["comment.approved"]}
        status, webhook = ask(greenroom, "POST", "/v1/sites/demo/webhooks", wanted, key)
        assert status == 201
        comment = write(
            greenroom, body="The mayor said the same in spring, and nothing came of it."
        )
        eventually(lambda: receiver.got)
        assert on_page(greenroom, comment["id"])
        ask(
            greenroom,
            "POST",
            f"/v1/sites/demo/comments/{comment['id']}/decisions",
            {"verdict": "reject"},
            key,
        )
        eventually(lambda: len(receiver.got) == 2)
        assert not on_page(greenroom, comment["id"])
        told = receiver.verified(webhook["secret"])
        assert [event["type"] for event in told] == ["comment.approved", "comment.rejected"]
        assert told[1]["data"]["supersedes"] == receiver.got[0].id
        ask(greenroom, "DELETE", f"/v1/sites/demo/webhooks/{webhook['id']}", key=key)


def test_a_doubtful_comment_waits_for_a_moderator(greenroom: Running) -> None:
    key = greenroom.key("moderate")
    spam = write(
        greenroom,
        body=(
            "CHEAP pills!!! Buy now http://pills.example/a http://pills.example/b http://c.example"
        ),
    )
    receipt = outcome(greenroom, spam)
    assert receipt["status"] == "flagged"
    assert "moderator" in receipt["reason"]
    assert not on_page(greenroom, spam["id"])
    _, queue = ask(greenroom, "GET", "/v1/sites/demo/queue?status=flagged", key=key)
    waiting = {item["id"]: item for item in queue["items"]}[spam["id"]]
    evidence = {found["check"]: found for found in waiting["evidence"]}
    assert 0 <= evidence["spam"]["score"] <= 1
    assert evidence["links"]["score"] == 3
    ask(
        greenroom,
        "POST",
        f"/v1/sites/demo/comments/{spam['id']}/decisions",
        {"verdict": "approve"},
        key,
    )
    eventually(lambda: on_page(greenroom, spam["id"]))


def test_the_author_learns_that_the_email_domain_does_not_exist(greenroom: Running) -> None:
    receipt = outcome(
        greenroom, write(greenroom, email="ann@no-such-paper.test", body="Is anybody there?")
    )
    assert receipt["status"] == "rejected"
    assert receipt["field"] == "email"
    assert "no-such-paper.test" in receipt["reason"]


def test_no_email_address_is_revealed(greenroom: Running) -> None:
    secret = write(
        greenroom, email="very.secret@paper.test", body="A comment whose address must not leave."
    )
    outcome(greenroom, secret)
    known = [file for file in Path(greenroom.data).rglob("*") if file.is_file()]
    assert known
    leaks = [file for file in [*known, greenroom.log] if b"very.secret" in file.read_bytes()]
    assert leaks == []


def test_the_log_follows_a_comment_by_its_id_and_reveals_nothing_about_its_author(
    greenroom: Running,
) -> None:
    told = {
        "name": "Zephyrine",
        "email": "zephyrine@paper.test",
        "body": "The lighthouse keeper was my uncle.",
    }
    good = write(greenroom, **told)
    eventually(lambda: on_page(greenroom, good["id"]))
    key = greenroom.key("moderate")
    decided = {"verdict": "reject", "note": "A note by a moderator"}
    ask(greenroom, "POST", f"/v1/sites/demo/comments/{good['id']}/decisions", decided, key)
    eventually(lambda: not on_page(greenroom, good["id"]))

    def lines() -> list[dict[str, Any]]:
        """Return each line of the web process and of the workers about it, as an operator would
        search for it.
        """
        said = [
            line.partition(" | ")[2] for line in greenroom.output.splitlines() if good["id"] in line
        ]
        return [json.loads(line) for line in said]

    def hops() -> list[tuple[str, str]]:
        return [
            (line["event"], line["status"])
            for line in sorted(lines(), key=lambda line: str(line["timestamp"]))
        ]

    assert eventually(lambda: hops() if len(lines()) >= 6 else None)[:6] == [
        ("accepted", "pending"),
        ("screened", "approved"),
        ("settled", "approved"),
        ("published", "approved"),
        ("settled", "rejected"),
        ("published", "rejected"),
    ]
    for line in lines():
        assert line.keys() <= ALLOWED
        assert isinstance(line["ms"], int)
    for secret in ("Zephyrine", "zephyrine", "lighthouse", "A note by", "127.0.0.1:", key):
        assert secret not in greenroom.output.partition("Greenroom is ready")[2].replace(
            greenroom.url, ""
        )


def test_all_parts_say_they_work(greenroom: Running) -> None:
    assert ask(greenroom, "GET", "/health/live")[0] == 200
    assert ask(greenroom, "GET", "/health/ready")[0] == 200
    eventually(lambda: ask(greenroom, "GET", "/health/system")[0] == 200)


def test_bodies_that_trickle_in_do_not_keep_others_from_reading(greenroom: Running) -> None:
    slow = [socket.create_connection(("127.0.0.1", greenroom.port)) for _ in range(12)]
    head = b"POST /v1/sites/demo/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 500\r\n\r\n{"
    for connection in slow:
        connection.sendall(head)
    time.sleep(0.5)
    assert ask(greenroom, "GET", "/v1/sites/demo/comments?thread=/demo")[0] == 200
    for connection in slow:
        connection.close()
    write(greenroom, body="And when they are gone one can write again.")
