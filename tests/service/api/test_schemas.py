"""Schemas in a form that generators of clients understand."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from service.api.schemas import Schemas
from tests.answers import calls_of


@pytest.fixture(scope="module")
def schemas(app: Flask) -> Schemas:
    return Schemas(list(calls_of(app).values()))


def test_every_name_is_one_word(schemas: Schemas) -> None:
    assert all(name.isalnum() for name in schemas.components)


def test_a_bodys_default_is_in_its_description(schemas: Schemas) -> None:
    rotation = schemas.components["Rotation"]["properties"]["overlap_seconds"]
    assert "default" not in rotation
    assert "Default: 86400." in rotation["description"]


def test_a_policy_is_complete_in_answers_and_optional_in_requests(
    schemas: Schemas,
) -> None:
    shown = schemas.components["PolicyInForce"]
    assert set(shown["required"]) == set(shown["properties"])
    links = schemas.components["LinksPolicy"]
    assert set(links["required"]) == {"max_links", "shorteners"}
    assert "required" not in schemas.components["LinksPolicyInput"]
    assert "required" not in schemas.components["PolicyChange"]


def test_titles_are_left_out(schemas: Schemas) -> None:
    assert not [name for name, schema in schemas.components.items() if "title" in schema]


def test_a_mapping_says_what_it_holds(schemas: Schemas) -> None:
    kinds: Any = schemas.components["PolicyChange"]["properties"]["could_not_run"]
    assert kinds["additionalProperties"] == {"enum": ["approve", "flag", "wait"], "type": "string"}
