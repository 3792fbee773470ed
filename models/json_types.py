"""Types of text in JSON. pydantic describes them in `/openapi.json`, and tests validate answers
with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class OneOf:
    """Describe a text as one of a few values, for a column that mypy knows as `str`."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))


def _utc_time(text: str) -> str:
    if datetime.fromisoformat(text).utcoffset() != timedelta():
        raise ValueError("This time must be in UTC.")
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
Url = Annotated[
    str,
    Field(json_schema_extra={"format": "uri"}, examples=["https://paper.example/2026/harbour"]),
]
