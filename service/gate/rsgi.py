"""The part of Granian's RSGI that Greenroom uses, as types.

https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

Headers = list[tuple[str, str]]


class HeadersIn(Protocol):
    """A request's headers, by lower-case name. `items()` leaves out values that are not ASCII,
    `keys()` has every name.
    """

    def keys(self) -> list[str]: ...
    def items(self) -> Headers: ...
    def get(self, key: str) -> str | None: ...
    def __contains__(self, key: str) -> bool: ...


class Scope(Protocol):
    """A request's head. `path` is decoded, with U+FFFD for bytes that are not UTF-8; `query_string`
    is as it was sent.

    `client` and `server` are `address:port`.
    """

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> HeadersIn: ...


class HTTPProtocol(Protocol):
    """A request's body, and the place for its answer. Both may end early without an error when the
    client has gone.
    """

    def __call__(self) -> Awaitable[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
