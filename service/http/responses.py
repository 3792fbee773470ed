"""JSON answers."""

from __future__ import annotations

import orjson
from flask import Response
from pydantic import BaseModel

PRIVATE = {"Cache-Control": "no-store"}  # the headers of an answer that only one reader may see


def json_response(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return `body` as JSON: a dictionary unchanged, a pydantic model by its own rules."""
    content = body.model_dump_json() if isinstance(body, BaseModel) else orjson.dumps(body)
    return Response(content, status, headers, content_type="application/json")
