"""POST to an address that a stranger may have chosen: only to the public Internet, in bounded time
and space.

Every call resolves the name itself, looks at every address it got and connects to one of those it
looked at, so a name that means another machine a moment later gains nothing. There are no redirects
and no proxies, and nothing of this machine's environment takes part but its certificates
(`SSL_CERT_FILE` names others).
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple, Self

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from models.settings import settings
from models.urls import authority_of, link, parse
from worker.public_addresses import Address, as_address, why_refused
from worker.resolver import asking

SECONDS = 15.0  # by the wall's clock, from resolving the name to the last byte of the answer
MOST_READ = 64 * 1024
MOST_LINES = 200
IDLE_SECONDS = (
    2.0  # shorter than any server's patience: what it may be closing just now is not written to
)
MOST_IDLE = 16
ALLOW = "for development, GREENROOM_WEBHOOK_ALLOW_PRIVATE=true allows it"


class Unsent(Exception):
    """There is no answer, and the message says why."""


class Refused(Unsent):
    """This address is not to be gone to."""


class Target(NamedTuple):
    """Where a URL leads: host in ASCII, without brackets; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return authority_of(self.scheme, self.host, self.port)


class Answer(NamedTuple):
    """Header names in lower case; of the body at most `MOST_READ` bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


def target(url: str) -> Target:
    """Take a URL apart. Raises `Refused`, in words for whoever typed it."""
    if len(url) > 2000 or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Refused("A URL has at most 2000 characters, and no spaces among them.")
    if not url.lower().startswith(("http://", "https://")):
        raise Refused("A webhook's URL begins with https://.")
    found = parse(url)
    if found is None:
        raise Refused("This is not a URL.")
    if link(url) is None:
        raise Refused("No name and password in the URL; a header of your own can carry them.")
    if "#" in url:
        raise Refused("A webhook's URL has no #fragment.")
    _check_port(found.scheme, found.port)
    _check_host(url, found.host)
    return Target(
        found.scheme,
        found.host,
        found.port,
        found.path + (f"?{found.query}" if found.query else ""),
    )


def _check_port(scheme: str, port: int) -> None:
    if settings().webhook_allow_private:
        return
    if scheme != "https":
        raise Refused(f"Webhooks go by https only; {ALLOW}.")
    if port not in settings().webhook_ports:
        ports = " and ".join(map(str, settings().webhook_ports))
        raise Refused(
            f"Webhooks go to ports {ports} only, not to {port}; GREENROOM_WEBHOOK_PORTS names "
            "others."
        )


def _check_host(url: str, host: str) -> None:
    """Look at an address right away; a name waits until DNS answers."""
    if (address := as_address(host)) is None:
        return
    check(address)
    if ":" not in host and host not in url:
        raise Refused("Write an address plainly, as four numbers or in brackets.")


def check(address: Address) -> None:
    """Raises `Refused` for an address that is not public."""
    why = why_refused(address)
    if why and not settings().webhook_allow_private:
        raise Refused(f"{address} is not a public address ({why}); {ALLOW}.")


async def addresses(host: str) -> list[Address]:
    """Where a host is, every address looked at. Raises `Unsent`."""
    if (address := as_address(host)) is not None:
        found: list[Address] = [address]
    elif host == "localhost" or host.endswith(".localhost"):  # RFC 6761: not a matter for DNS
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
        raise Unsent(f"The name {host} has no address.")
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
        raise Unsent(f"The name {host} does not exist.") from None
    except dns.exception.Timeout:
        raise Unsent(f"The name {host} could not be looked up within {seconds:g} s.") from None
    except (dns.exception.DNSException, OSError, ValueError):
        raise Unsent(f"The name {host} could not be looked up.") from None
    return [ip_address(record.address) for record in answer.rrset or ()]


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    since: float = 0.0

    def is_fresh(self) -> bool:
        closed = self.reader.at_eof() or self.writer.is_closing() or bool(self.reader._buffer)  # type: ignore[attr-defined]
        return not closed and time.monotonic() - self.since < IDLE_SECONDS

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass
class Poster:
    """Posts from one event loop, and keeps connections for a moment: a busy endpoint is not greeted
    anew each time.
    """

    seconds: float = SECONDS
    _idle: dict[Target, list[_Connection]] = field(default_factory=lambda: defaultdict(list))

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, pause: float = 0
    ) -> Answer:
        """The answer, whatever its status. Raises `Unsent`. With a `pause` the body goes in two
        halves.
        """
        wanted = target(url)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._post(wanted, headers, body, pause)
        except TimeoutError:
            raise Unsent(f"There was no whole answer within {self.seconds:g} s.") from None

    async def _post(
        self, wanted: Target, headers: Mapping[str, str], body: bytes, pause: float
    ) -> Answer:
        found = await addresses(wanted.host)
        connection = self._kept(wanted, found) or await _connect(wanted, found)
        try:
            connection.writer.write(_head(wanted, headers, len(body)))
            half = len(body) // 2 if pause else 0
            if half:
                connection.writer.write(body[:half])
                await connection.writer.drain()
                await asyncio.sleep(pause)
            connection.writer.write(body[half:])
            answer, may_stay = await _read(connection.reader)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            connection.close()
            raise Unsent(_words(error)) from None
        except BaseException:
            connection.close()
            raise
        self._keep(wanted, connection) if may_stay else connection.close()
        return answer

    def _kept(self, wanted: Target, found: list[Address]) -> _Connection | None:
        """One that is open still, and leads to an address that the name has now."""
        idle = self._idle.pop(self._key(wanted), [])
        while idle:
            connection = idle.pop()
            if connection.is_fresh() and any(
                str(address) == connection.address for address in found
            ):
                if idle:
                    self._idle[self._key(wanted)] = idle
                return connection
            connection.close()
        return None

    def _keep(self, wanted: Target, connection: _Connection) -> None:
        connection.since = time.monotonic()
        idle = self._idle[self._key(wanted)]
        idle.append(connection)
        if len(idle) > MOST_IDLE:
            idle.pop(0).close()

    def close_idle(self) -> None:
        """Let go of what was not used for a moment."""
        for key, idle in list(self._idle.items()):
            fresh = [connection for connection in idle if connection.is_fresh()]
            for connection in idle:
                if connection not in fresh:
                    connection.close()
            if fresh:
                self._idle[key] = fresh
            else:
                del self._idle[key]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # for the loop to let go of them

    @staticmethod
    def _key(wanted: Target) -> Target:
        return wanted._replace(path="")


async def _connect(wanted: Target, found: list[Address]) -> _Connection:
    """To the first address that answers."""
    secure = {"ssl": _tls(), "server_hostname": wanted.host} if wanted.scheme == "https" else {}
    wrong: OSError | None = None
    for address in found:
        try:
            reader, writer = await asyncio.open_connection(
                str(address),
                wanted.port,
                limit=MOST_READ,
                **secure,  # type: ignore[arg-type]
            )
        except OSError as error:  # ssl.SSLError is one
            wrong = wrong or error
            continue
        return _Connection(reader, writer, str(address))
    raise Unsent(_words(wrong)) from None


@cache
def _tls() -> ssl.SSLContext:
    """Loaded with the first https address: a process that needs none saves the memory."""
    return ssl.create_default_context()


def _words(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not good: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "TLS could not be agreed on."
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(error, (EOFError, ConnectionError)):
        return "The connection was cut before the answer was whole."
    if isinstance(error, OSError):
        return "It could not be reached."
    return "What came back is not an answer in HTTP."


def _head(wanted: Target, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"POST {wanted.path} HTTP/1.1", f"Host: {wanted.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """One answer, and whether the connection is at its end, to be used again (RFC 9112)."""
    while True:
        version, status = await _status(reader)
        headers = await _headers(reader)
        if status >= 200:
            break
    stays = version == "1.1" and "close" not in headers.get("connection", "").lower()
    if status in {204, 304}:
        return Answer(status, headers, b""), stays
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, is_whole = await _chunks(reader)
    elif "content-length" in headers:
        length = _length(headers["content-length"])
        body, is_whole = await reader.readexactly(min(length, MOST_READ)), length <= MOST_READ
    else:
        body, is_whole = await _until_closed(reader), False
    return Answer(status, headers, body), stays and is_whole


def _length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):  # int() would take "+5", "1_0" and " 5"
        raise ValueError(text)
    return int(text)


async def _status(reader: asyncio.StreamReader) -> tuple[str, int]:
    line = await reader.readuntil(b"\n")
    found = re.fullmatch(rb"HTTP/(1\.[01]) (\d{3})(?: [^\r\n]*)?\r?\n", line)
    if not found:
        raise ValueError(line)
    return found[1].decode(), int(found[2])


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    for _ in range(MOST_LINES):
        line = await reader.readuntil(b"\n")
        size += len(line)
        if line in {b"\r\n", b"\n"}:
            return headers
        if size > MOST_READ:
            break
        name, _colon, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise ValueError("too many headers")


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    body = b""
    while True:
        size = int((await reader.readuntil(b"\n")).partition(b";")[0].strip(), 16)
        if size < 0:
            raise ValueError("a chunk of less than nothing")
        if size == 0:
            await _headers(reader)
            return body, True
        body += await reader.readexactly(min(size, MOST_READ - len(body)))
        if len(body) >= MOST_READ:
            return body, False
        await reader.readuntil(b"\n")


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < MOST_READ and (part := await reader.read(MOST_READ - len(body))):
        body += part
    return body
