"""Call a WSGI application and keep its whole answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple

import structlog

from service.gate.rsgi import Headers

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger()


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes


BROKEN = Answer(
    500, [("Content-Type", "text/plain")], b"Something broke on our side. It has been logged."
)


def ask(app: WSGI, environ: Environ, body: bytes) -> Answer:
    """Return the application's answer to this request. Flask answers every error itself; any other
    error is a 500.

    The answer is held in memory until its reader has it. Granian buffers without a limit, so
    streaming would gain nothing.
    """
    began: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: object = None) -> None:
        began.append((status, headers))

    environ["wsgi.input"] = BytesIO(body)
    try:
        pieces = app(environ, start_response)
        try:
            content = b"".join(pieces)
        finally:
            if close := getattr(pieces, "close", None):
                close()
        status, headers = began[-1]
        return Answer(int(status[:3]), headers, content)
    except Exception as error:
        log.exception("request.failed", exc_info=error)
        return BROKEN
