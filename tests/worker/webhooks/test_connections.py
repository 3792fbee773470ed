"""One connection to servers that answer in every wrong way."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

import pytest

from worker.webhooks import connections
from worker.webhooks.connections import (
    MOST_READ,
    MOST_RECEIVED,
    Answer,
    Connection,
    NotAnAnswer,
    connect,
    request_head,
)
from worker.webhooks.targets import Target, Unsent

BODY = b'{"type": "webhook.test"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 20  # seconds: for a busy machine

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow for a busy machine, where more than two seconds may pass between two lines of a
    test.
    """
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1000.0)


@asynccontextmanager
async def connected(handle: Handle) -> AsyncIterator[tuple[Connection, Target]]:
    """Yield a connection to a server that runs this and then closes it."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await handle(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    async with asyncio.timeout(PATIENCE):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = Target("http", "hook.test", server.sockets[0].getsockname()[1], "/hook")
        connection = await connect(target, [ip_address("127.0.0.1")])
        try:
            yield connection, target
        finally:
            connection.close()
            await done.wait()
            server.close()


async def take_request(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(len(BODY))


def answered(content: bytes, *, stays: bool = True) -> tuple[Answer, bool]:
    """Return the answer to one request, and whether the connection may be used again."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_request(reader)
        writer.write(content)
        if stays:
            await reader.read()  # until the client closes

    async def send() -> tuple[Answer, bool]:
        async with connected(handle) as (connection, target):
            answer = await connection.send(request_head(target, {}, len(BODY)), BODY)
            return answer, connection.is_fresh

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("content", "status", "body"),
    [
        (OK, 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
        (b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", 500, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        # A folded header, characters outside ASCII, and spaces after a length.
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\xff\r\nContent-Length: 2  \r\n\r\nok", 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\nX: y\r\n\r\n",
            200,
            b"ok",
        ),
        # Both a length and chunks: the chunks count.
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n%b"
            % b"2\r\nok\r\n0\r\n\r\n",
            200,
            b"ok",
        ),
    ],
)
def test_a_whole_answer_leaves_the_connection_to_the_next_request(
    content: bytes, status: int, body: bytes
) -> None:
    answer, is_reusable = answered(content)
    assert (answer.status, answer.body) == (status, body)
    assert is_reusable


@pytest.mark.parametrize(
    "content",
    [
        OK + OK,
        OK + b"and more",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * MOST_READ,
    ],
)
def test_a_connection_that_may_hold_something_else_is_not_used_again(content: bytes) -> None:
    answer, is_reusable = answered(content)
    assert answer.status == 200
    assert not is_reusable


def test_an_answer_that_lasts_until_the_server_closes_ends_there() -> None:
    answer, is_reusable = answered(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", stays=False)
    assert answer.body == b"until the end"
    assert not is_reusable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: y",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_answer_that_was_cut_is_none(content: bytes) -> None:
    with pytest.raises(EOFError):
        answered(content, stays=False)


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz",
        b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        # Endless input: a header, many heads before the answer, data beside the chunks.
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2 * MOST_READ,
        b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * (MOST_READ // 30),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * MOST_RECEIVED,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * MOST_RECEIVED,
    ],
)
def test_bytes_that_are_no_answer_are_recognised(content: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        answered(content)


def test_of_a_body_in_chunks_as_much_is_read_as_of_any_other() -> None:
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    answer, is_reusable = answered(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20
    )
    assert len(answer.body) == MOST_READ
    assert not is_reusable


def test_a_packed_body_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(10_000_000))
    assert len(packed) < MOST_READ
    answer, _ = answered(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(packed), packed)
    )
    assert answer.body == packed


def test_an_answer_that_arrives_before_the_request_counts() -> None:
    """A server without capacity may answer before the request arrives."""
    written = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        written.set()
        await reader.read()

    async def send() -> int:
        async with connected(handle) as (connection, target):
            await written.wait()
            return (await connection.send(request_head(target, {}, len(BODY)), BODY)).status

    assert asyncio.run(send()) == 503


def test_a_connection_with_bytes_between_two_requests_is_not_used_again() -> None:
    go_on = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_request(reader)
        writer.write(OK)
        await go_on.wait()
        writer.write(OK)  # for a request that nobody sent
        await reader.read()

    async def send() -> None:
        async with connected(handle) as (connection, target):
            await connection.send(request_head(target, {}, len(BODY)), BODY)
            assert connection.is_fresh
            go_on.set()
            while connection.is_fresh:
                await asyncio.sleep(0.01)

    asyncio.run(send())


def test_no_cookie_of_an_answer_comes_back() -> None:
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(len(BODY))
            writer.write(b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\n")

    async def send() -> None:
        async with connected(handle) as (connection, target):
            for _ in range(2):
                await connection.send(request_head(target, {}, len(BODY)), BODY)

    asyncio.run(send())
    assert heads[0] == heads[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nHost: elsewhere"),
        ("X", "a\nHost: elsewhere"),
        ("X", "a\r"),
        ("X", "a\0"),
        ("X\r\nHost", "elsewhere"),
        ("X: a", "b"),
        ("X", "a\u2028b"),
    ],
)
def test_a_header_cannot_add_another_one(name: str, value: str) -> None:
    with pytest.raises(Unsent):
        request_head(Target("http", "hook.test", 80, "/"), {name: value}, 0)


def test_a_request_has_the_headers_it_was_given() -> None:
    head = request_head(Target("https", "hook.test", 8443, "/a?b"), {"X-Key": "säcret"}, 7)
    assert head.decode("latin-1").split("\r\n") == [
        "POST /a?b HTTP/1.1",
        "Host: hook.test:8443",
        "X-Key: säcret",
        "Content-Length: 7",
        "",
        "",
    ]
