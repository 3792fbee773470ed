"""JSON answers: dictionaries unchanged, models by their own rules."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from service.http.responses import json_response


class Boat(BaseModel):
    name: str
    built: date


def test_a_dictionary_is_written_unchanged() -> None:
    answer = json_response({"name": "Ferry", "late": None}, 201, {"X-Boat": "1"})
    assert answer.get_data() == b'{"name":"Ferry","late":null}'
    assert (answer.status_code, answer.mimetype) == (201, "application/json")
    assert answer.headers["X-Boat"] == "1"


def test_a_model_is_written_by_its_own_rules() -> None:
    answer = json_response(Boat(name="Ferry", built=date(2026, 3, 1)))
    assert answer.get_data() == b'{"name":"Ferry","built":"2026-03-01"}'
