"""Kinds of text that bodies and answers are made of, each with its format and an example.

A body or a query is a pydantic model, for Greenroom checks it. An answer is a typed dictionary:
mypy checks where it is built, pydantic describes it in `/openapi.json`, and the tests validate
every answer against it. At run time it is written as it is, which costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict


@dataclass(frozen=True)
class OneOf:
    """Text of a few values, for a column that mypy knows as `str`."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))


def _utc_time(text: str) -> str:
    if datetime.fromisoformat(text).utcoffset() != timedelta():
        raise ValueError("This time is not in UTC.")
    return text


def _uuid(text: str) -> str:
    UUID(text)
    return text


Time = Annotated[
    str,
    AfterValidator(_utc_time),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-01T09:30:00Z"]),
]
Id = Annotated[
    str,
    AfterValidator(_uuid),
    Field(json_schema_extra={"format": "uuid"}, examples=["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"]),
]
Email = Annotated[str, Field(json_schema_extra={"format": "email"}, examples=["ann@example.org"])]
Url = Annotated[
    str,
    Field(json_schema_extra={"format": "uri"}, examples=["https://paper.example/2026/harbour"]),
]
ThreadKey = Annotated[str, Field(examples=["/2026/harbour"])]
SiteKey = Annotated[str, Field(examples=["demo"])]
By = Annotated[
    str,
    Field(
        description="`policy`, `moderator:ID`, `key:ID`, or who else acted, in words.",
        examples=["moderator:0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10"],
    ),
]

Status = Annotated[str, OneOf(("pending", "approved", "flagged", "rejected", "deleted"))]
Verdict = Annotated[str, OneOf(("approve", "flag", "reject"))]
Role = Literal["owner", "moderator", "viewer"]


class FieldError(TypedDict):
    """What is wrong with one field."""

    field: Annotated[str, Field(examples=["email"])]
    message: Annotated[str, Field(examples=["This field is required."])]


# What a query parameter or a request may say of an id: the value is checked where it is looked up.
ID_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "format": "uuid",
        "examples": ["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"],
    }
)
