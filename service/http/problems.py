"""Errors as `application/problem+json` (RFC 9457): what went wrong and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from flask import Response
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

Shape = TypeVar("Shape", bound=BaseModel)

CHECK_FIELDS = "Some fields are not valid."

REFUSED = (
    "greenroom.refused"  # in a WSGI environ: the Problem with which the gate refuses this request
)


class Problem(Exception):
    """An error answer. `errors` are `{"field", "message"}` for a form's fields."""

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
        self.status, self.detail, self.errors, self.headers, self.more = (
            status,
            detail,
            list(errors),
            headers,
            more,
        )

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
        return Response(
            orjson.dumps(body), self.status, self.headers, content_type="application/problem+json"
        )


def shaped(shape: type[Shape], content: bytes) -> Shape:
    """Parse JSON into that shape. Raises a 400 or 422 that says what is wrong with it.

    It is parsed twice, because a pydantic model accepts NaN and Infinity, which are no JSON (RFC
    8259, 6).
    """
    json_of(content)
    try:
        return shape.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise from_validation(error) from None


def json_of(content: bytes) -> object:
    """Parse JSON. Raises a 400 if it is not."""
    try:
        parsed: object = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise _unreadable() from None
    return parsed


def from_validation(error: ValidationError) -> Problem:
    """Turn pydantic's errors into one message per field. A text that is no JSON at all is a 400."""
    found = error.errors(include_url=False, include_context=True)
    if any(item["type"] == "json_invalid" for item in found):
        return _unreadable()
    if any(item["type"].startswith("model_") and not item["loc"] for item in found):
        return Problem(422, "The body must be a JSON object.")
    errors = [{"field": _field(item["loc"]) or "body", "message": _message(item)} for item in found]
    return Problem(422, CHECK_FIELDS, errors=errors)


def wrong_field(name: str, message: str, *, detail: str | None = None) -> Problem:
    """Return a 422 for one field or parameter that only its call can check."""
    return wrong_fields({name: message}, detail=detail or message)


def wrong_fields(messages: Mapping[str, str], *, detail: str = CHECK_FIELDS) -> Problem:
    """Return a 422 for several fields, with a message for each."""
    errors = [{"field": name, "message": message} for name, message in messages.items()]
    return Problem(422, detail, errors=errors)


def _unreadable() -> Problem:
    return Problem(400, "The body is not valid JSON in UTF-8.")


def _field(place: tuple[int | str, ...]) -> str:
    """Return the name of a field, like `links.max_links`. A wrong key of a mapping is named as it
    was sent, without pydantic's mark for keys.
    """
    return ".".join(map(str, place)).removesuffix(".[key]")


def _message(item: Any) -> str:
    """Return our message for the common cases, and pydantic's for the rest."""
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    ours = _WORDS.get(item["type"])
    return ours.format(**item.get("ctx", {})) if ours else str(item["msg"])


_WORDS = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no field with this name.",
    "string_type": "This must be text.",
    "string_too_long": "This is too long: at most {max_length} characters.",
    "string_too_short": "This field is required.",
    "string_unicode": "This is not valid text.",
    "literal_error": "This must be {expected}.",
    "bool_type": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "finite_number": "This must be a number.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be at most {le}.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "too_long": "This list is too long: at most {max_length} entries.",
}
