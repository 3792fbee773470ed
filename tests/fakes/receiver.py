"""A real webhook receiver on a free port. It records the requests, and misbehaves on request.

with Receiver() as receiver:
    receiver.next(500, Answer(429, {"Retry-After": "60"}), CUT)  # the next three; then 204 again
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import orjson
from standardwebhooks import Webhook


class Answer(NamedTuple):
    status: int = 204
    headers: dict[str, str] = {}  # noqa: RUF012 — never changed
    body: bytes = b""
    drip: float = 0.0  # seconds between the bytes of the body


CUT = Answer(0)  # the connection is closed after everything was read
HANG = Answer(1)  # no answer until the receiver ends
RAW = 2  # the response is only the body


class Got(NamedTuple):
    """One request, with header names in lower case, and its `time.time()`."""

    path: str
    headers: dict[str, str]
    content: bytes
    at: float

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return str(self.body["type"])


@dataclass
class Receiver:
    """Answers with `always` if no other answer was requested. With a certificate it speaks TLS."""

    always: Answer = Answer()  # noqa: RUF009 — a NamedTuple, never changed
    certificate: str = ""
    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    connections: int = 0
    busiest: int = 0  # parallel requests
    _now: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _ending: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self.port), self._handler())
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}/hook"

    def next(self, *answers: Answer | int) -> None:
        self.answers.extend(
            Answer(answer) if isinstance(answer, int) else answer for answer in answers
        )

    def verified(self, secret: str) -> list[Any]:
        """Return the bodies of all requests, each verified by the library of Standard Webhooks."""
        return [Webhook(secret).verify(got.content, got.headers) for got in self.got]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def setup(self) -> None:
                super().setup()
                receiver.connections += 1

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                named = {name.lower(): value for name, value in self.headers.items()}
                with receiver._guard:
                    receiver.got.append(Got(self.path, named, content, time.time()))
                    answer = receiver.answers.popleft() if receiver.answers else receiver.always
                    receiver._now += 1
                    receiver.busiest = max(receiver.busiest, receiver._now)
                try:
                    self._say(answer)
                finally:
                    with receiver._guard:
                        receiver._now -= 1

            def do_GET(self) -> None:
                self.do_POST()

            def _say(self, answer: Answer) -> None:
                if answer.status == HANG.status:
                    receiver._ending.wait(60)
                if answer.status in {CUT.status, HANG.status}:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if answer.status == RAW:
                    self.close_connection = True
                    self.wfile.write(answer.body)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if not answer.drip:
                    self.wfile.write(answer.body)
                    return
                for byte in answer.body:
                    self.wfile.write(bytes([byte]))
                    if receiver._ending.wait(answer.drip):
                        return

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Ignore broken pipes, which follow from closed connections."""
