"""Reading a request's body on the event loop: with a deadline, a least rate and a
bound on memory.
"""

from __future__ import annotations

import asyncio

from service.gate.rsgi import HTTPProtocol

MOST_SECONDS = 10.0  # for any body
GRACE_SECONDS, BYTES_A_SECOND = (
    5.0,
    1024,
)  # a body of n bytes has n / 1024 seconds, and five more for a bad connection
AT_ONCE = (
    16 * 1024
)  # up to here a body is taken in one piece; longer ones are counted as they arrive
MOST_HELD = (
    64 * 1024 * 1024
)  # bytes of longer bodies that are held at one time, by all requests together
LINGER_SECONDS, MOST_LINGERED = 5.0, 8 * 1024 * 1024


class TooSlow(Exception):
    """The body did not arrive in time."""


class Gone(Exception):
    """The client closed the connection before its body was complete."""


class TooMuchAtOnce(Exception):
    """Other requests' long bodies take all the memory there is for them."""


class Bodies:
    """Reads bodies, and counts what the longer ones hold in memory."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, protocol: HTTPProtocol, length: int) -> bytes:
        """The body, which is `length` bytes long. Raises TooSlow, Gone or TooMuchAtOnce."""
        try:
            async with asyncio.timeout(seconds_for(length)):
                body = await (
                    protocol() if length <= AT_ONCE else self._in_pieces(protocol, length)
                )
        except TimeoutError:
            raise TooSlow from None
        if len(body) != length:  # Granian ends a body whose client has gone like any other
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
    """Take in what comes after a refusal. Many programs read no answer before all of their body is
    sent, and would only see the connection cut.
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
    """How long a body of so many bytes may take."""
    return min(MOST_SECONDS, GRACE_SECONDS + length / BYTES_A_SECOND)
