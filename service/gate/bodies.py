"""Read a request's body on the event loop, with a deadline, a minimum rate and a memory limit."""

from __future__ import annotations

import asyncio

from service.gate.rsgi import HTTPProtocol

MOST_SECONDS = 10.0  # for any body
GRACE_SECONDS, BYTES_A_SECOND = (
    5.0,
    1024,
)  # a body of n bytes has n / 1024 seconds, plus five for a bad connection
AT_ONCE = (
    16 * 1024
)  # up to this length a body is read in one piece; longer ones are counted as they arrive
MOST_HELD = 64 * 1024 * 1024  # bytes of longer bodies that all requests together may hold
LINGER_SECONDS, MOST_LINGERED = 5.0, 8 * 1024 * 1024


class TooSlow(Exception):
    """Raised if the body did not arrive in time."""


class Gone(Exception):
    """Raised if the client closed the connection before its body was complete."""


class TooMuchAtOnce(Exception):
    """Raised if other requests' long bodies use all the memory for them."""


class Bodies:
    """Reads bodies, and counts the memory that the longer ones hold."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, protocol: HTTPProtocol, length: int) -> bytes:
        """Read the body, which is `length` bytes long. Raises TooSlow, Gone or TooMuchAtOnce."""
        try:
            async with asyncio.timeout(seconds_for(length)):
                body = await (
                    protocol() if length <= AT_ONCE else self._in_pieces(protocol, length)
                )
        except TimeoutError:
            raise TooSlow from None
        if len(body) != length:  # Granian does not report a client that has gone
            raise Gone
        return body

    async def _in_pieces(self, protocol: HTTPProtocol, length: int) -> bytes:
        pieces: list[bytes] = []
        held = 0
        try:
            async for piece in protocol:
                pieces.append(piece)
                held += len(piece)
                self._held += len(piece)
                if self._held > MOST_HELD:
                    raise TooMuchAtOnce
            return b"".join(pieces)
        finally:
            self._held -= held


async def linger(protocol: HTTPProtocol) -> None:
    """Read what arrives after a refusal. Many programs read no answer before they have sent their
    whole body, and would only see a closed connection.
    """
    missing = MOST_LINGERED
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            async for piece in protocol:
                missing -= len(piece)
                if missing < 0 or not piece:
                    return
    except TimeoutError:
        return


def seconds_for(length: int) -> float:
    """Return how many seconds a body of this length may take."""
    return min(MOST_SECONDS, GRACE_SECONDS + length / BYTES_A_SECOND)
