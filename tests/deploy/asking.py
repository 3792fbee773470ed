"""A plain HTTP client: it sends the path unchanged and returns the response unchanged."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests.greenroom import PATIENCE


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case; lines with the same name joined by ", "
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


def ask(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    *,
    encode_chunked: bool = False,
    **headers: str,
) -> Answer:
    """Send one request on a separate connection; `if_none_match="…"` is the header
    If-None-Match.
    """
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is not None:
        named.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, content, named, encode_chunked=encode_chunked)
        answer = connection.getresponse()
        told: dict[str, str] = {}
        for name, value in answer.getheaders():
            told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
        return Answer(answer.status, told, answer.read())
    finally:
        connection.close()
