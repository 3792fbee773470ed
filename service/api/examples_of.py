"""Build examples from those of a schema's fields, so that each example is written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BY_FORMAT = {
    "date-time": "2026-03-01T09:30:00Z",
    "date": "2026-03-01",
    "uuid": "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7",
    "email": "ann@example.org",
    "uri": "https://paper.example/2026/harbour",
}
BY_TYPE = {"integer": 1, "number": 0.5, "boolean": False, "null": None}


def example_of(
    schema: Mapping[str, Any],
    named: Mapping[str, Any],
    *,
    is_sent: bool,
    inside: tuple[str, ...] = (),
) -> Any:
    """Return an example of the schema. For a request it has only the fields that are required or
    have their own example; for an answer it has all of them. `inside` holds the schemas being
    described.
    """

    def of(part: Mapping[str, Any]) -> Any:
        return example_of(part, named, is_sent=is_sent, inside=inside)

    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(named[name], named, is_sent=is_sent, inside=(*inside, name))
    if examples := schema.get("examples"):
        return examples[0]
    if "const" in schema:
        return schema["const"]
    if "default" in schema:
        return schema["default"]
    if options := schema.get("anyOf"):
        return of(options[0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        items = schema["items"]
        return [] if _is_inside(items, inside) else [of(items)]
    if "properties" in schema:
        required = schema.get("required", ())
        return {
            name: of(part)
            for name, part in schema["properties"].items()
            if not is_sent or name in required or "examples" in part
        }
    if schema.get("type") == "object":
        return {}
    if "format" in schema:
        return BY_FORMAT[schema["format"]]
    kind = schema.get("type", "")
    return schema["minimum"] if "minimum" in schema else BY_TYPE.get(kind, "text")


def _is_inside(items: Mapping[str, Any], inside: tuple[str, ...]) -> bool:
    return str(items.get("$ref", "")).rpartition("/")[2] in inside
