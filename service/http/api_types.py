"""Types that only the API has: texts in bodies and answers, each with its format and an example.

A body or a query is a pydantic model, because Greenroom validates it. An answer is a typed
dictionary: mypy checks the code that builds it, pydantic describes it in `/openapi.json`, and the
tests validate every answer. At run time it is written without validation, which costs nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from models import json_types

Id = json_types.Id  # these four belong to the models, too
OneOf = json_types.OneOf
Time = json_types.Time
Url = json_types.Url
Email = Annotated[str, Field(json_schema_extra={"format": "email"}, examples=["ann@example.org"])]
ThreadKey = Annotated[str, Field(examples=["/2026/harbour"])]
By = Annotated[
    str,
    Field(
        description="`policy`, `moderator:ID`, `key:ID`, `author`, or another actor in words.",
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


# What the documentation says about an id. The value is checked by looking it up.
ID_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "format": "uuid",
        "examples": ["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"],
    }
)
