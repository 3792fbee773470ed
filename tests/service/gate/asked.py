"""Call the gate in this process, with a request's head and body in Granian's form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from service.gate.app import Gate
from service.gate.rsgi import Headers


class SentHeaders:
    def __init__(self, lines: Headers) -> None:
        self._lines = lines

    def keys(self) -> list[str]:
        return [name for name, _ in self._lines]

    def items(self) -> Headers:
        return [(name, value) for name, value in self._lines if value.isascii()]

    def get(self, key: str) -> str | None:
        value = dict(reversed(self._lines)).get(key)
        return value if value is not None and value.isascii() else None

    def __contains__(self, key: str) -> bool:
        return key in self.keys()


@dataclass
class Sent:
    """A request's head."""

    method: str
    path: str
    query_string: str = ""
    lines: Headers = field(default_factory=list)
    client: str = "192.0.2.7:4711"
    server: str = "127.0.0.1:8000"
    scheme: str = "http"
    proto: str = "http"
    http_version: str = "1.1"

    @property
    def headers(self) -> SentHeaders:
        return SentHeaders(self.lines)


@dataclass
class Exchange:
    """A body that arrives in pieces, and the answer."""

    pieces: list[bytes] = field(default_factory=list)
    stays_open: bool = False  # after the last piece nothing arrives, and nothing ends
    answers: list[tuple[int, Headers, bytes]] = field(default_factory=list)

    async def __call__(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.stays_open:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        self.answers.append((status, headers, body))


def asked(gate: Gate, sent: Sent, exchange: Exchange | None = None) -> tuple[int, Headers, bytes]:
    """Return the gate's one answer."""
    exchange = exchange or Exchange()
    asyncio.run(gate(sent, exchange))
    [answer] = exchange.answers
    return answer
