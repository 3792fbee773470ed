"""Convert a request's head to a WSGI environ (PEP 3333)."""

from __future__ import annotations

import sys

from service.gate.asking import Environ
from service.gate.rsgi import Scope

_SAME_FOR_ALL: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: Scope) -> Environ:
    """Return the environ of this request, without `wsgi.input`.

    A header whose name has an underscore is left out. Otherwise `X_Forwarded_For` would pass for
    `X-Forwarded-For`, which a proxy sets or removes. A value that is not ASCII becomes empty.
    """
    environ = _SAME_FOR_ALL.copy()
    server, _, port = scope.server.rpartition(":")
    environ["SERVER_NAME"] = server.strip("[]")
    environ["SERVER_PORT"] = port
    environ["SERVER_PROTOCOL"] = (
        f"HTTP/{scope.http_version}" if "." in scope.http_version else "HTTP/1.0"
    )
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0].strip("[]")
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = _as_latin_1(scope.path)
    environ["QUERY_STRING"] = _as_latin_1(scope.query_string)
    environ["wsgi.url_scheme"] = scope.scheme
    headers = scope.headers
    for name, value in headers.items():
        if "_" in name:
            continue
        key = _key(name)
        if key not in environ:
            environ[key] = value
        elif name not in _WITHOUT_PREFIX:  # of these, the first counts
            environ[key] = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
    for name in headers.keys():  # noqa: SIM118 — Granian's own type can't be iterated
        if "_" not in name:
            environ.setdefault(_key(name), "")
    return environ


def _key(name: str) -> str:
    return _WITHOUT_PREFIX.get(name) or f"HTTP_{name.upper().replace('-', '_')}"


def _as_latin_1(text: str) -> str:
    """Encode the text as WSGI wants it: bytes of UTF-8, each as the character of that number."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
