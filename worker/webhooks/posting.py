"""POST to an address that a stranger may have chosen: only to the public Internet, in limited time
and memory.

Every call resolves the name itself, checks every address and connects to one of the addresses it
checked. So a name that changes its address a moment later gains nothing. Redirects are not followed
and proxies are not used. The only environment variable that counts is `SSL_CERT_FILE`, which names
other certificates. docs/decisions/0013 explains why no client library does this.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Self

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from models.settings import settings
from worker.resolver import asking
from worker.webhooks.connections import Answer, Connection, NotAnAnswer, connect, request_head
from worker.webhooks.public_addresses import Address, as_address
from worker.webhooks.targets import Target, Unsent, check, target

SECONDS = 15.0  # wall-clock time from resolving the name to the last byte of the answer
MOST_IDLE = 16  # connections to one host


@dataclass
class Poster:
    """Posts from one event loop, and reuses connections that were used a moment ago."""

    seconds: float = SECONDS
    _idle: dict[Target, list[Connection]] = field(default_factory=lambda: defaultdict(list))

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, pause: float = 0
    ) -> Answer:
        """Return the answer, whatever its status. Raises `Unsent`. With a `pause`, the body is sent
        in two halves.
        """
        where = target(url)
        head = request_head(where, headers, len(body))
        return await self._send(where, head, body, pause)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a GET request, whatever its status. Raises `Unsent`."""
        where = target(url)
        return await self._send(where, request_head(where, headers, 0, method="GET"), b"", 0)

    async def _send(self, where: Target, head: bytes, body: bytes, pause: float) -> Answer:
        try:
            async with asyncio.timeout(self.seconds):
                return await self._post(where, head, body, pause)
        except TimeoutError:
            raise Unsent(
                f"The endpoint did not send a complete response within {self.seconds:g} s."
            ) from None

    async def _post(self, where: Target, head: bytes, body: bytes, pause: float) -> Answer:
        checked = await addresses(where.host)
        try:
            connection = self._idle_one(where, checked) or await connect(where, checked)
        except OSError as error:
            raise Unsent(_words(error)) from None
        try:
            answer = await connection.send(head, body, pause=pause)
        except (OSError, EOFError, NotAnAnswer) as error:
            connection.close()
            raise Unsent(_words(error)) from None
        except BaseException:
            connection.close()
            raise
        self._keep(where, connection)
        return answer

    def _idle_one(self, where: Target, checked: list[Address]) -> Connection | None:
        """Return a connection that is still open and leads to an address that the name has now."""
        idle = self._idle.get(_key(where), [])
        while idle:
            connection = idle.pop()
            if connection.is_fresh and connection.address in map(str, checked):
                return connection
            connection.close()
        return None

    def _keep(self, where: Target, connection: Connection) -> None:
        if not connection.is_fresh:
            connection.close()
            return
        idle = self._idle[_key(where)]
        idle.append(connection)
        if len(idle) > MOST_IDLE:
            idle.pop(0).close()

    def close_idle(self) -> None:
        """Close the connections that were not used recently."""
        for key, idle in list(self._idle.items()):
            self._idle[key] = [connection for connection in idle if connection.is_fresh]
            for connection in idle:
                if not connection.is_fresh:
                    connection.close()
            if not self._idle[key]:
                del self._idle[key]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # lets the loop release them


def _key(where: Target) -> Target:
    """Return the key of a connection, which all paths of a host share."""
    return where._replace(path="")


async def addresses(host: str) -> list[Address]:
    """Return the addresses of a host, all of them checked. Raises `Unsent`."""
    if (address := as_address(host)) is not None:
        found: list[Address] = [address]
    elif host == "localhost" or host.endswith(".localhost"):  # RFC 6761: never ask DNS
        found = [ip_address("127.0.0.1"), ip_address("::1")]
    else:
        found = await _look_up(host)
    for address in found:
        check(address)
    return found


async def _look_up(host: str) -> list[Address]:
    answers = await asyncio.gather(
        *(_ask(host, kind) for kind in ("A", "AAAA")), return_exceptions=True
    )
    found = [address for answer in answers if isinstance(answer, list) for address in answer]
    if not found:
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        raise Unsent(f"The host {host} has no IP address.")
    return found


async def _ask(host: str, kind: str) -> list[Address]:
    seconds = settings().dns_seconds
    try:
        resolver = asking(dns.asyncresolver.Resolver, settings().dns, seconds=seconds)
        answer = await resolver.resolve(
            dns.name.from_text(host),
            kind,
            lifetime=seconds,
            raise_on_no_answer=False,
            search=False,
            backend=dns.asyncbackend.get_backend("asyncio"),
        )
    except dns.resolver.NXDOMAIN:
        raise Unsent(f"The host {host} does not exist.") from None
    except dns.exception.Timeout:
        raise Unsent(f"The DNS lookup of {host} took longer than {seconds:g} s.") from None
    except (dns.exception.DNSException, OSError, ValueError):
        raise Unsent(f"The DNS lookup of {host} failed.") from None
    return [ip_address(record.address) for record in answer.rrset or ()]


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The endpoint's certificate is not valid: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "The TLS handshake failed."
    if isinstance(error, ConnectionRefusedError):
        return "The endpoint refused the connection."
    if isinstance(error, (EOFError, ConnectionError)):
        return "The connection closed before the response was complete."
    if isinstance(error, OSError):
        return "The endpoint could not be reached."
    return "The response is not valid HTTP."
