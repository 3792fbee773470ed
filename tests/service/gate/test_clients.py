"""Slow, silent, rude and hasty clients of a real web process: each costs a connection and delays
nobody.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.greenroom import PATIENCE, Running, running, until

READ = "/v1/sites/demo/comments?thread=/demo"
POST = "/v1/sites/demo/comments"
COMMENT = {"thread": "/clients", "name": "Ann", "email": "ann@example.org"}
ROUTES = [
    "POST /console/sign-in",
    f"POST {POST}",
    "PUT /v1/sites/demo/policy",
    "POST /v1/sites/nobody/comments",
    "DELETE /v1/sites/demo/comments/x",
    "POST /nowhere",
    "GET /health/ready",
    "OPTIONS /v1/sites/demo/form",
]
SLOW, IDLE, ATTEMPTS = 64, 100, 6


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    variables = {"GREENROOM_RATE_LIMITS": "off", "GREENROOM_DNS": "127.0.0.1:1"}
    with running(
        tmp_path_factory.mktemp("clients") / "var", like=sqlite_template, **variables
    ) as started:
        yield started


def connected(up: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", up.port), timeout=PATIENCE)


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: greenroom.example", *headers, "", ""]).encode()


def posting(**fields: str) -> bytes:
    body = json.dumps({**COMMENT, **fields}).encode()
    return (
        head(f"POST {POST}", "Content-Type: application/json", f"Content-Length: {len(body)}")
        + body
    )


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Return the next answer on this connection."""
    with connection.makefile("rb", buffering=0) as lines:
        status = int(lines.readline().split()[1])
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = b""
        while len(body) < int(headers.get("content-length", 0)):
            body += lines.read(int(headers["content-length"]) - len(body))
    return status, headers, body


def asked(up: Running, content: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send one request on a separate connection."""
    with connected(up) as connection:
        connection.sendall(content)
        return answer_of(connection)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture(scope="module")
def trickling(up: Running) -> Iterator[Future[tuple[int, int]]]:
    """A body that arrives slowly while the first test waits for the end of its own."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(trickle, up)


def trickle(up: Running) -> tuple[int, int]:
    """Return the status of the answer, and how many bytes were sent before it arrived."""
    with connected(up) as connection:
        connection.sendall(head(f"POST {POST}", "Content-Length: 100000"))
        sent = 0
        while not select.select([connection], [], [], 0.2)[0]:
            connection.sendall(b"x")
            sent += 1
        return answer_of(connection)[0], sent


class Held(NamedTuple):
    """Connections that clients keep open: some with a body that never arrives, some idle."""

    slow: list[socket.socket]
    idle: list[socket.socket]

    def was_answered(self) -> bool:
        return bool(select.select([*self.slow, *self.idle], [], [], 0)[0])

    def close(self) -> None:
        for connection in [*self.slow, *self.idle]:
            connection.close()


def held_open(up: Running) -> Held:
    idle = [connected(up) for _ in range(IDLE)]
    slow = [connected(up) for _ in range(SLOW)]
    for number, connection in enumerate(slow):
        connection.sendall(head(ROUTES[number % len(ROUTES)], "Content-Length: 5000") + b"{")
    return Held(slow, idle)


def served_beside_slow_clients(up: Running) -> Held:
    """Read and post while slow clients hold their connections; return those connections.

    On a loaded machine this may take longer than the slow clients' time-out; then try once more.
    """
    for _ in range(ATTEMPTS):
        held = held_open(up)
        assert asked(up, head("GET /health/live"))[0] == 200
        assert asked(up, head(f"GET {READ}"))[0] == 200
        assert asked(up, head(f"GET {READ}&x=1"))[0] == 200  # by Flask
        assert asked(up, posting(body="Between slow ones."))[0] == 202
        assert asked(up, head("GET /console/sign-in"))[0] == 200
        if not held.was_answered():
            return held
        held.close()
    raise AssertionError("slow clients were always cut before the others were served")


def test_slow_bodies_and_idle_connections_delay_nobody_and_are_closed(
    up: Running, trickling: Future[tuple[int, int]]
) -> None:
    held = served_beside_slow_clients(up)
    for number, connection in enumerate(held.slow):
        status, headers, body = answer_of(connection)
        assert (status, headers["connection"]) == (408, "close"), ROUTES[number % len(ROUTES)]
        if "/v1/" in ROUTES[number % len(ROUTES)]:
            assert headers["content-type"] == "application/problem+json"
            assert json.loads(body)["status"] == 408
        assert is_closed(connection)
    for connection in held.idle:
        assert is_closed(connection)
    held.close()


def test_a_body_that_trickles_in_is_cut_too(trickling: Future[tuple[int, int]]) -> None:
    status, sent = trickling.result(PATIENCE)
    assert status == 408
    assert 0 < sent < 100


@pytest.mark.parametrize(
    "line", [f"POST {POST}", "PUT /v1/sites/demo/policy", "POST /console/sign-in"]
)
def test_a_body_declared_too_long_is_refused_by_its_head(up: Running, line: str) -> None:
    status, headers, _ = asked(
        up, head(line, "Content-Type: application/json", "Content-Length: 50000000")
    )
    assert (status, headers["connection"]) in {
        (413, "close"),
        (401, "close"),
    }  # a client without a key has no length


def test_a_client_that_sends_all_of_a_too_long_body_still_reads_the_answer(up: Running) -> None:
    with connected(up) as connection:
        connection.sendall(
            head(f"POST {POST}", "Content-Type: application/json", "Content-Length: 5000000")
        )
        connection.sendall(b"x" * 5_000_000)
        status, _, body = answer_of(connection)
    assert (status, json.loads(body)["status"]) == (413, 413)


@pytest.mark.parametrize("line", [f"POST {POST}", "PUT /v1/sites/demo/policy", "POST /nowhere"])
def test_a_body_of_unstated_length_is_refused(up: Running, line: str) -> None:
    chunked = head(line, "Content-Type: application/json", "Transfer-Encoding: chunked")
    for body in (b"", b"2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n"):
        status, headers, _ = asked(up, chunked + body)
        assert (status, headers["connection"]) == (411, "close")


def test_a_comment_whose_sender_leaves_half_way_is_none(up: Running) -> None:
    content = posting(body="Half a comment, cut where it is whole JSON.")
    declared = content.replace(b"Content-Length: ", b"Content-Length: 1")
    with connected(up) as connection:
        connection.sendall(declared)
    with connected(up) as connection:
        connection.sendall(content[:-5])
    accepted = [line for line in up.output.splitlines() if '"accepted"' in line]
    assert asked(up, posting(body="A whole one."))[0] == 202
    until(
        lambda: (
            len([line for line in up.output.splitlines() if '"accepted"' in line])
            == len(accepted) + 1
        ),
        PATIENCE,
    )


def test_a_client_that_expects_100_continue_gets_it(up: Running) -> None:
    body = json.dumps({**COMMENT, "body": "Expect it."}).encode()
    lines = (
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
    )
    with connected(up) as connection:
        connection.sendall(head(f"POST {POST}", *lines))
        assert answer_of(connection)[0] == 100
        connection.sendall(body)
        assert answer_of(connection)[0] == 202
    too_long = ("Content-Type: application/json", "Content-Length: 5000000", "Expect: 100-continue")
    assert asked(up, head(f"POST {POST}", *too_long))[0] == 413


def test_requests_sent_together_are_answered_in_their_order(up: Running) -> None:
    with connected(up) as connection:
        connection.sendall(
            head(f"GET {READ}")
            + posting(body="In line.")
            + head("GET /nowhere")
            + head("GET /v1/x")
        )
        assert [answer_of(connection)[0] for _ in range(4)] == [200, 202, 404, 404]


def test_a_head_is_a_get_without_its_body(up: Running) -> None:
    for path in ("/health/live", READ, "/demo", "/embed.js", "/nowhere"):
        with connected(up) as connection:
            connection.sendall(head(f"HEAD {path}", "Connection: close"))
            said = b""
            while part := connection.recv(65536):
                said += part
        told = asked(up, head(f"GET {path}"))[1]
        assert said.partition(b"\r\n\r\n")[2] == b""
        assert f"content-length: {told['content-length']}".encode() in said


def test_a_name_with_an_underscore_is_not_believed(up: Running) -> None:
    """Otherwise a client that sends X_Forwarded_For could choose its own address behind a proxy
    that sets X-Forwarded-For.
    """
    spoofed = head("GET /metrics", "X_Forwarded_For: 192.0.2.1")
    assert asked(up, spoofed)[0] == 200


def test_http_2_and_web_sockets_are_not_spoken(up: Running) -> None:
    with connected(up) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert connection.recv(100)[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 505"}
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    assert asked(up, head("GET /nowhere", *upgrade, "Sec-WebSocket-Version: 13"))[0] == 404


def test_no_line_of_the_log_is_a_traceback(up: Running) -> None:
    assert "Traceback" not in up.output
