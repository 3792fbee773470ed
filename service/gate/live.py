"""Answer `/health/live` on the event loop: it says that this process accepts requests, whatever its
threads do.
"""

from __future__ import annotations

from time import perf_counter

from service.gate.asking import WSGI, Answer, ask
from service.gate.rsgi import HTTPProtocol, Scope
from service.operations import metrics

PATH = "/health/live"


class Live:
    """Answers with the answer that Flask gave when the process started."""

    def __init__(self, app: WSGI) -> None:
        about = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": PATH,
            "QUERY_STRING": "",
            "REMOTE_ADDR": "127.0.0.1",
        }
        server = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1"}
        self._answer: Answer = ask(app, {**about, **server, "wsgi.url_scheme": "http"}, b"")

    def answer(self, scope: Scope, protocol: HTTPProtocol) -> bool:
        """Answer this request if it is for that path. Return False if it is not."""
        if scope.path != PATH or scope.method not in {"GET", "HEAD"}:
            return False
        began = perf_counter()
        status, headers, body = self._answer
        protocol.response_bytes(status, headers, body if scope.method == "GET" else b"")
        metrics.count(PATH, scope.method, status, perf_counter() - began)
        return True
