"""Errors as RFC 9457 `application/problem+json`: what went wrong and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response
from pydantic import ValidationError


class Problem(Exception):
    """An answer other than the one hoped for. `errors` are `{"field", "message"}` for a form's fields."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[dict[str, str]] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers, self.more = status, detail, list(errors), headers, more

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(orjson.dumps(body), self.status, self.headers, content_type="application/problem+json")


def from_validation(error: ValidationError) -> Problem:
    """Pydantic's findings as one message a field. What could not be read as JSON at all is a 400."""
    found = error.errors(include_url=False, include_context=True)
    if any(item["type"] == "json_invalid" for item in found):
        return Problem(400, "The body is not valid JSON in UTF-8.")
    errors = [{"field": ".".join(map(str, item["loc"])) or "body", "message": _message(item)} for item in found]
    return Problem(422, "Some fields need another look.", errors=errors)


def _message(item: Any) -> str:
    """Our words for the common cases, pydantic's for the rest."""
    words = {
        "missing": "This field is required.",
        "string_type": "This must be text.",
        "string_too_long": "This is too long: at most {max_length} characters.",
        "string_too_short": "This field is required.",
        "string_unicode": "This is not valid text.",
        "model_type": "The body must be a JSON object.",
        "model_attributes_type": "The body must be a JSON object.",
        "extra_forbidden": "There is no such field.",
    }
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    ours = words.get(item["type"])
    return ours.format(**item.get("ctx", {})) if ours else str(item["msg"])
