"""A fast webhook receiver in a separate process. It records each message with its time, and the
revision that the page had by then.

Each path is an endpoint; `/dead` never answers, `/flaky` misbehaves one time in five, in several
ways.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from models.store import storage

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
BAD = (
    b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 Wait\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    b"",  # closed, after everything was read
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
)


class Received(NamedTuple):
    """One message; `revision` is that of the page when the message arrived."""

    path: str
    at: float
    headers: dict[str, str]
    body: str
    revision: int
    was_taken: bool


@contextmanager
def receiving(port: int, log: Path, *, look: bool = False) -> Iterator[Path]:
    """Listen on a port until the block ends. Every message becomes a line of the log at once."""
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()
    process = context.Process(target=_receive, args=(port, log, look, ready, end), daemon=True)
    process.start()
    assert ready.wait(10)
    try:
        yield log
    finally:
        end.set()
        process.join(10)
        process.kill()


def received(log: Path) -> list[Received]:
    return [Received(*orjson.loads(line)) for line in log.read_bytes().splitlines()]


def _receive(port: int, log: Path, look: bool, ready: Event, end: Event) -> None:
    asyncio.run(_serve(port, log, look, ready, end))


async def _serve(port: int, log: Path, look: bool, ready: Event, end: Event) -> None:
    chance = random.Random(1)
    with log.open("ab", buffering=0) as lines:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    path, headers, body = await _request(reader)
                    if path == "/dead":
                        await asyncio.sleep(3600)
                    answer = (
                        chance.choice(BAD) if path == "/flaky" and chance.random() < 0.2 else OK
                    )
                    revision = _revision(body) if look else 0
                    lines.write(
                        orjson.dumps(
                            [path, time.time(), headers, body.decode(), revision, answer is OK]
                        )
                        + b"\n"
                    )
                    writer.write(answer)
                    if answer is not OK:
                        break
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", port, backlog=512)
        ready.set()
        while not end.is_set():
            await asyncio.sleep(0.05)
        server.close()


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in pairs}
    return head[0].split(" ")[1], headers, await reader.readexactly(int(headers["content-length"]))


def _revision(body: bytes) -> int:
    """Return the revision that the page of this event's thread shows now."""
    data: dict[str, Any] | None = orjson.loads(body)["data"]
    if not data:
        return 0
    page = storage.get(storage.newest_name(data["site"], data["thread"]["key"]))
    return int(orjson.loads(page.content)["revision"]) if page else 0
