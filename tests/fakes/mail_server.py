"""A mail server that listens, speaks SMTP and keeps what it accepts."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from typing import NamedTuple, Self

from tests.greenroom import PATIENCE

Answer = Callable[[str], str]


class Received(NamedTuple):
    """An accepted mail. `to` is the address of the envelope."""

    to: str
    message: EmailMessage

    @property
    def plain(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


def _accepts(_: str) -> str:
    return "250 2.1.5 fine"


class MailServer(threading.Thread):
    """`recipient` answers RCPT for an address, and `content` answers the end of DATA for it. If
    `seconds` is set, every answer takes so long. `hangs_up_after` closes each connection after so
    many mails. With a `certificate`, a file, it offers STARTTLS.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        recipient: Answer = _accepts,
        content: Answer = _accepts,
        seconds: float = 0.0,
        hangs_up_after: int | None = None,
        certificate: str | None = None,
    ) -> None:
        super().__init__(name="mail-server", daemon=True)
        self.port, self.recipient, self.content = port, recipient, content
        self.seconds, self.hangs_up_after = seconds, hangs_up_after
        self.received: list[Received] = []
        self.certificate = certificate
        self.connections = self.encrypted = 0
        self._loop = asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self.join(PATIENCE)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[Received]:
        return [mail for mail in self.received if mail.to == address]

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=2**22)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        to, mails = "", 0
        try:
            await self._say(writer, "220 here")
            while line := (await reader.readline()).decode().strip():
                word = line[:4].upper()
                if word == "EHLO" and self.certificate:
                    await self._say(writer, "250-here")
                    await self._say(writer, "250 STARTTLS")
                    continue
                if word == "STAR" and self.certificate:
                    await self._say(writer, "220 go on")
                    await writer.start_tls(_context(self.certificate))
                    self.encrypted += 1
                    continue
                if word == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    await self._say(writer, self.recipient(to))
                elif word == "DATA":
                    await self._say(writer, "354 go on")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    answer = self.content(to)
                    if answer.startswith("250"):
                        self._keep(to, content)
                    await self._say(writer, answer)
                    mails += 1
                    if mails == self.hangs_up_after:
                        break
                elif word == "QUIT":
                    await self._say(writer, "221 bye")
                    break
                else:
                    await self._say(writer, "250 fine")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _keep(self, to: str, content: bytes) -> None:
        parsed = email.message_from_bytes(
            content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."),
            policy=email.policy.default,
        )
        assert isinstance(parsed, EmailMessage)
        self.received.append(Received(to, parsed))

    async def _say(self, writer: asyncio.StreamWriter, line: str) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        writer.write(f"{line}\r\n".encode())
        await writer.drain()


def _context(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
