"""The application that Granian calls for each request. It answers or refuses the request at once,
or gives it to Flask in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

from models.settings import STORAGE_THREADS, settings
from service.gate import stored
from service.gate.asking import WSGI, Environ, ask
from service.gate.bodies import Bodies, Gone, TooMuchAtOnce, TooSlow, linger
from service.gate.environ import environ_of
from service.gate.lanes import Lane
from service.gate.listening_socket import give_up_on_silent_readers
from service.gate.live import Live
from service.gate.rsgi import HTTPProtocol, Scope
from service.http.body_sizes import COMMENT_BYTES, CONSOLE_BYTES, MOST_BYTES
from service.http.problems import REFUSED, Problem
from service.sites.lookup import remembered_site
from worker.lifeline import POLL_SECONDS, PULSE, Pulse

READS = frozenset({"GET", "HEAD", "OPTIONS"})
READ_PATIENCE, WRITE_PATIENCE = (
    4.0,
    1.5,
)  # seconds that a request waits for a thread, before it gets a 503
SILENT_READER_SECONDS = 20.0  # seconds without the client reading a byte of the answer
DRAIN_SECONDS = 2.0  # seconds for unfinished requests when the process ends
RETRY = {"Retry-After": "5"}
_CLOSE = ("Connection", "close")

# Paths with these ends need no database if this process knows the site; paths with these beginnings
# need none at all.
STORED, FILES = (
    ("/comments", "/form", "/thread", "/thread.atom"),
    ("/embed", "/docs", "/demo", "/openapi.json"),
)


def lengthless() -> Problem:
    return Problem(411, "Content-Length is missing. Send the length of the body.")


def too_slow() -> Problem:
    return Problem(408, "The body did not arrive in time. Please send it again.")


def too_much() -> Problem:
    return Problem(
        503, "Too many long uploads at once. Please try again in a moment.", headers=RETRY
    )


def busy() -> Problem:
    return Problem(
        503,
        "Too many requests at once. Nothing was accepted; please try again in a moment.",
        headers=RETRY,
    )


class Gate:
    """An RSGI application around a WSGI application."""

    def __init__(self, app: WSGI) -> None:
        self._app = app
        self._live = Live(app)
        self._bodies = Bodies()
        self._reading = Lane("read", threads=STORAGE_THREADS, patience=READ_PATIENCE)
        self._looking = Lane("look", threads=settings().looking_threads, patience=READ_PATIENCE)
        self._writing = Lane("write", threads=settings().web_threads, patience=WRITE_PATIENCE)
        self._under_way = 0

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        if self._live.answer(scope, protocol) or stored.answer(scope, protocol):
            return
        self._under_way += 1
        try:
            await self._answer(scope, protocol)
        finally:
            self._under_way -= 1

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._bound_readers(loop)
        if PULSE in os.environ:
            self._give_signs(loop, Pulse("answering"))

    def _give_signs(self, loop: asyncio.AbstractEventLoop, pulse: Pulse) -> None:
        """Tell `up` that the event loop runs, because readers and /health/live depend on it."""
        pulse.beat()
        loop.call_later(POLL_SECONDS, self._give_signs, loop, pulse)

    def _bound_readers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Limit silent readers as soon as Granian listens; Granian does not announce this."""
        if not give_up_on_silent_readers(settings().port, SILENT_READER_SECONDS):
            loop.call_later(0.1, self._bound_readers, loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._drain())

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._under_way:
                    await asyncio.sleep(0.02)

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = environ_of(scope)
        try:
            body, refusal = await self._body(scope, protocol, environ)
        except Gone:
            return
        if refusal:
            environ[REFUSED] = refusal

        def work() -> None:
            status, headers, content = ask(self._app, environ, body or b"")
            protocol.response_bytes(
                status, headers if body is not None else [*headers, _CLOSE], content
            )

        if refusal or not await self._lane(scope).run(work):
            environ.setdefault(REFUSED, busy())
            if not await self._reading.run(work):
                protocol.response_bytes(503, [_CLOSE, *RETRY.items()], b"")
        if body is None and not (refusal and refusal.status == 408):
            await linger(protocol)

    async def _body(
        self, scope: Scope, protocol: HTTPProtocol, environ: Environ
    ) -> tuple[bytes | None, Problem | None]:
        """Return the body, or None if it was not read, and what is wrong with it, unless Flask
        finds that in the head.

        Raises Gone.
        """
        most = _most_bytes(scope.path)
        if "HTTP_TRANSFER_ENCODING" in environ:
            return None, (None if most == COMMENT_BYTES else lengthless())
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > most:
            return None, None
        if not length:
            return b"", None
        try:
            return await self._bodies.read(protocol, length), None
        except TooSlow:
            return None, too_slow()
        except TooMuchAtOnce:
            return None, too_much()

    def _lane(self, scope: Scope) -> Lane:
        if scope.method not in READS:
            return self._writing
        return self._reading if _needs_no_database(scope) else self._looking


def _needs_no_database(scope: Scope) -> bool:
    path = scope.path
    if path == "/health/ready":
        return not scope.query_string
    if path.endswith(STORED):
        _, _, behind = path.partition("/sites/")
        return remembered_site(behind.partition("/")[0]) is not None
    return path.startswith(FILES)


def _most_bytes(path: str) -> int:
    """Return the maximum body size, in bytes, that the gate passes to Flask. It is at least Flask's
    own limit for the path.
    """
    if path.startswith("/v1/sites/") and path.endswith("/comments"):
        return COMMENT_BYTES
    return CONSOLE_BYTES if path.startswith("/console") else MOST_BYTES
