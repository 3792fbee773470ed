"""Read a request's JSON body and its query in the shapes that its call declares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from models.identifiers import is_id
from models.text.numbers import digits_to_int
from service.http.api_types import ID_SCHEMA
from service.http.problems import Problem, Shape, from_validation, shaped

JSON = "application/json"
CSV = "text/csv"
FORM = "application/x-www-form-urlencoded"
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396

Q = TypeVar("Q", bound="Query")


class Query(BaseModel):
    """The query parameters of a call. An unknown parameter is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    # Each parameter's name and whether it may be repeated, found once, because readers' requests
    # are frequent.
    parameters: ClassVar[tuple[tuple[str, bool], ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        super().__pydantic_init_subclass__(**more)
        cls.parameters = tuple(
            (field.alias or name, get_origin(field.annotation) is list)
            for name, field in cls.model_fields.items()
        )


def body_as(shape: type[Shape], *, empty: bytes = b"", types: Sequence[str] = (JSON,)) -> Shape:
    """Return the request's JSON in that shape. Raises a 400, 415 or 422 that says what is wrong
    with it.

    `empty` replaces a missing body.
    """
    content = request.get_data(cache=False) or empty
    if content is not empty and request.mimetype not in types:
        raise Problem(415, f"Content-Type must be {' or '.join(types)}.")
    return shaped(shape, content)


def query_as(shape: type[Q]) -> Q:
    """Return the request's query in that shape. Raises a 422 that names each wrong parameter."""
    sent, given = request.args, dict[str, Any]()
    for name, may_be_repeated in shape.parameters:
        if name in sent:
            given[name] = sent.getlist(name) if may_be_repeated else sent[name]
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise _wrong_arguments(error) from None


def _wrong_arguments(error: ValidationError) -> Problem:
    errors = from_validation(error).errors
    said = " ".join(f"{each['field']}: {each['message']}" for each in errors)
    return Problem(422, said, errors=errors)


def whole_number(most: int) -> BeforeValidator:
    """Return a number from 1 to `most`, in ASCII digits only: no sign, no space, no other
    script.
    """

    def parse(text: object) -> object:
        if not isinstance(text, str):
            return text
        number = digits_to_int(text)
        if number is None or not 1 <= number <= most:
            raise ValueError(f"This must be a number from 1 to {most}.")
        return number

    return BeforeValidator(parse)


def _given_out(text: object) -> object:
    if not (isinstance(text, str) and is_id(text)):
        raise ValueError("This cursor is not valid. Use `next` from the previous page.")
    return text


def _parsed_day(text: object) -> object:
    if not isinstance(text, str):
        return text
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("This must be a day like 2026-01-31.") from None
    if not 2000 <= day.year <= 2100:
        raise ValueError("The year must be between 2000 and 2100.")
    return day


def _parsed_month(text: object) -> object:
    """Return the first day of a month."""
    if not isinstance(text, str) or not text:
        return text or None
    if re.fullmatch("[0-9]{4}-[0-9]{2}", text) is None:
        raise ValueError("This must be a month like 2026-01.")
    return _parsed_day(f"{text}-01")


def _parsed_moment(text: object) -> object:
    """Parse a time by RFC 3339, with its time zone."""
    if not isinstance(text, str):
        return text
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1971 <= moment.year <= 9000:
        raise ValueError("This must be a time like 2026-01-31T12:00:00Z.")
    return moment


MOST = "How many entries to return at most."
Cursor = Annotated[
    str | None,
    BeforeValidator(_given_out),
    ID_SCHEMA,
    Field(description="`next` from the previous page."),
]
Day = Annotated[date | None, BeforeValidator(_parsed_day)]
Month = Annotated[
    date | None,
    BeforeValidator(_parsed_month),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "examples": ["2026-01"]}),
]
Moment = Annotated[datetime | None, BeforeValidator(_parsed_moment)]
Limit100 = Annotated[int, Field(ge=1, le=100, description=MOST), whole_number(100)]
Limit200 = Annotated[int, Field(ge=1, le=200, description=MOST), whole_number(200)]
Limit1000 = Annotated[int, Field(ge=1, le=1000, description=MOST), whole_number(1000)]


def wants_csv(chosen: str | None) -> bool:
    """Whether a call answers with a table: its parameter `format` decides, or else `Accept`."""
    if chosen is not None:
        return chosen == "csv"
    return request.accept_mimetypes.best_match((JSON, CSV), default=JSON) == CSV
