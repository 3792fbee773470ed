"""One HTTP/1.1 connection to an address that was checked before.

httptools (llhttp, the parser of Node.js) parses the answers. This module connects, sends, and adds
the limits, because a stranger's server may send anything, for any length of time.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from worker.webhooks.public_addresses import Address
from worker.webhooks.targets import Target, Unsent

MOST_READ = 64 * 1024  # bytes of a head, and bytes of a body
MOST_LINES = 200  # of a head
MOST_RECEIVED = 16 * MOST_READ  # including the sizes of chunks and the trailer
# Shorter than the keep-alive time of any usual server, so that the server is not about to close the
# connection.
IDLE_SECONDS = 2.0

# Some servers end lines with a bare line feed, or send both Content-Length and chunks. Only the
# endpoint itself could be confused by it, so the delivery counts.
_LENIENCIES = {
    "lenient_headers": True,
    "lenient_chunked_length": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_spaces_after_chunk_size": True,
}
_UNSAFE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class NotAnAnswer(Exception):
    """Raised for bytes that are not an HTTP answer, or for a head without end."""


class Answer(NamedTuple):
    """Header names in lower case; of the body at most `MOST_READ` bytes, as they were sent."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Sends one request at a time. The parser calls the methods whose names begin with `on_`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._idle_since = 0.0
        self._is_reusable = False
        self._has_head = False  # of the final answer: 100 and the like come before it
        self._ends_with_connection = False
        self._received = 0
        self._lines = 0
        self._headers: dict[str, str] = {}
        self._body = b""
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[Answer] | None = None
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**_LENIENCIES)

    async def send(self, head: bytes, body: bytes, *, pause: float = 0) -> Answer:
        """Send a request and wait for its answer. With a `pause`, the body is sent in two halves.

        Raises OSError, EOFError and `NotAnAnswer`.
        """
        assert self._transport
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answered = answered
        self._is_reusable = self._has_head = False
        self._received, self._body = 0, b""
        self._transport.resume_reading()
        half = len(body) // 2 if pause else len(body)
        self._transport.write(head + body[:half])
        if pause:
            await asyncio.wait([answered], timeout=pause)
            self._transport.write(body[half:])
        answer = await answered
        self._idle_since = time.monotonic()
        return answer

    @property
    def is_fresh(self) -> bool:
        """Whether another request may be sent: everything was read, and nothing arrived since."""
        is_open = self._transport is not None and not self._transport.is_closing()
        return is_open and self._is_reusable and time.monotonic() - self._idle_since < IDLE_SECONDS

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()  # an answer that arrives before its request waits for it

    def data_received(self, data: bytes) -> None:
        if self._answered is None or self._answered.done():
            self._is_reusable = False  # bytes that belong to no request
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._is_reusable = False
            self._fail(NotAnAnswer())
        if self._received > (MOST_RECEIVED if self._has_head else MOST_READ):
            self._fail(NotAnAnswer())

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and self._has_head and self._ends_with_connection:
            self._finish(is_reusable=False)
        self._fail(error or EOFError())

    def on_message_begin(self) -> None:
        self._is_reusable = False  # until it ends
        self._headers, self._lines = {}, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        if self._lines > MOST_LINES:
            raise NotAnAnswer
        if not self._has_head:  # otherwise it follows the last chunk
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        if self._parser.get_http_version() not in {"1.0", "1.1"}:
            raise NotAnAnswer
        if self._parser.get_status_code() < 200:
            return  # the final answer is still to come
        self._has_head = True
        is_chunked = "chunked" in self._headers.get("transfer-encoding", "").lower()
        self._ends_with_connection = not is_chunked and "content-length" not in self._headers

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) >= MOST_READ:
            self._finish(is_reusable=False)

    def on_message_complete(self) -> None:
        if self._has_head:
            self._finish(is_reusable=self._parser.should_keep_alive())

    def _finish(self, *, is_reusable: bool) -> None:
        if self._answered and not self._answered.done():
            status = self._parser.get_status_code()
            self._answered.set_result(Answer(status, self._headers, self._body[:MOST_READ]))
            self._is_reusable = is_reusable

    def _fail(self, error: Exception) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(error)


async def connect(target: Target, addresses: Iterable[Address]) -> Connection:
    """Connect to the first of these addresses that answers. TLS is verified against the name.

    Raises the first OSError if none answers.
    """
    tls = _tls() if target.scheme == "https" else None
    first_error: OSError | None = None
    for address in addresses:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda address=address: Connection(str(address)),
                str(address),
                target.port,
                ssl=tls,
                server_hostname=target.host if tls else None,
            )
        except OSError as error:  # ssl.SSLError is one
            first_error = first_error or error
        else:
            return connection
    raise first_error or OSError()


@cache
def _tls() -> ssl.SSLContext:
    """Return the TLS context, which is loaded with the first https address: a process that needs
    none saves the memory.
    """
    return ssl.create_default_context()


def request_head(
    target: Target, headers: Mapping[str, str], length: int, *, method: str = "POST"
) -> bytes:
    """Return the head of a request. Raises `Unsent` for a header that would add another
    one.
    """
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    for name, value in headers.items():
        if _UNSAFE.search(name) or _UNSAFE.search(value) or ":" in name:
            raise Unsent("One of the webhook's headers is not valid.")
        lines.append(f"{name}: {value}")
    lines += [f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")
