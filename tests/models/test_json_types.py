"""Types of text in JSON: their description, and the values that they accept."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from models.json_types import Id, OneOf, Time

VERDICT = TypeAdapter(Annotated[str, OneOf(("approve", "reject"))])


@pytest.mark.parametrize("text", ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00.123456+00:00"])
def test_a_time_is_in_utc(text: str) -> None:
    assert TypeAdapter(Time).validate_python(text) == text


@pytest.mark.parametrize("text", ["2026-03-01T09:30:00", "2026-03-01T09:30:00+01:00", "noon"])
def test_any_other_time_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Time).validate_python(text)


def test_an_id_is_a_uuid() -> None:
    uuid = "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"

    assert TypeAdapter(Id).validate_python(uuid) == uuid
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python("7")


def test_formats_are_named_for_the_generators_of_clients() -> None:
    assert TypeAdapter(Time).json_schema()["format"] == "date-time"
    assert TypeAdapter(Id).json_schema()["format"] == "uuid"
    assert VERDICT.json_schema() == {"enum": ["approve", "reject"], "type": "string"}


def test_one_of_a_few_values_is_no_other() -> None:
    assert VERDICT.validate_python("approve") == "approve"
    with pytest.raises(ValidationError):
        VERDICT.validate_python("flag")
