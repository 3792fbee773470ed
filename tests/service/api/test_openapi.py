"""`/openapi.json` describes what each call takes and what it answers, for valid and invalid
input.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from models.identifiers import new_id
from models.webhooks.owed import EVENTS, TEST
from service.app import create_app
from service.http.calls import Call
from service.people import accounts
from tests.answers import calls_of
from tests.caller import Caller, Client, client_of, posted, publish_all, screen_all
from tests.npm_packages import npm_package

CALLS = list(calls_of(create_app()).values())
BAD = {
    "no JSON": {"data": "{", "content_type": "application/json"},
    "another type": {"data": "a", "content_type": "text/csv"},
    "another shape": {"json": []},
    "nothing": {},
}


def named(call: Call) -> str:
    return f"{call.method} {call.path}"


def path_of(call: Call) -> str:
    return re.sub(r"{(\w+)}", lambda name: "demo" if name[1] == "site" else new_id(), call.path)


@pytest.fixture(scope="module")
def document(app: Flask) -> Any:
    return client_of(app).get("/openapi.json").json


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for kind in ("paths", "webhooks"):
        for path, methods in document[kind].items():
            for method, operation in methods.items():
                yield f"{method} {path}", operation


def schemas(part: Any) -> Iterator[Any]:
    """Yield every object in the document, including schemas."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from schemas(value)
    elif isinstance(part, list):
        for value in part:
            yield from schemas(value)


@pytest.mark.parametrize("call", CALLS, ids=named)
def test_every_answer_to_bad_input_is_documented(client: Client, document: Any, call: Call) -> None:
    documented = document["paths"][call.path][call.method.lower()]["responses"]
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    for what, sent in BAD.items():
        for headers in (key, {}):
            for query in ("", "?limit=x&cursor=x&since=x&page=x"):
                answer = client.open(
                    path_of(call) + query, method=call.method, headers=headers, **sent
                )
                status = str(answer.status_code)
                assert status in documented, f"{what}: {status} {answer.text}"
                contents = documented[status].get("content", {"": {}, "text/html": {}})
                assert answer.mimetype in contents, what


@pytest.mark.parametrize("call", [call for call in CALLS if call.body_may_be_missing], ids=named)
def test_a_body_that_is_optional_may_be_left_out(client: Client, call: Call) -> None:
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    answer = client.open(path_of(call), method=call.method, headers=key)
    assert answer.status_code in {404, 409}


def test_a_limit_that_is_named_is_the_one_that_holds(client: Client, document: Any) -> None:
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    found = 0
    for call in CALLS:
        operation = document["paths"][call.path][call.method.lower()]
        for each in operation.get("parameters", ()):
            if each["name"] == "limit" and "{id}" not in call.path:
                most, found = each["schema"]["maximum"], found + 1
                path = call.path.format(site="demo", tab="review")
                statuses = [
                    client.get(f"{path}?limit={limit}", headers=key).status_code
                    for limit in (1, most, most + 1)
                ]
                assert statuses == [200, 200, 422], call.path
    assert found == 6


def test_every_operation_can_be_understood_and_generated(document: Any) -> None:
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        assert "security" in operation, name
    assert document["servers"]
    assert document["security"]


def test_every_operation_has_an_example_and_a_typed_answer(document: Any) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            parameters = operation.get("parameters", ())
            assert all(
                "examples" in each["schema"] or "enum" in each["schema"]
                for each in parameters
                if each["in"] == "path"
            ), name
            if "requestBody" in operation:
                for content in operation["requestBody"]["content"].values():
                    assert content["schema"], name
                    assert "example" in content, name
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert len(good) == 1, name
            if good != ["204"]:
                for content in operation["responses"][good[0]]["content"].values():
                    assert content["schema"], name
                    assert "example" in content, name


def test_json_and_the_form_are_described_apart(document: Any) -> None:
    operation = document["paths"]["/v1/sites/{site}/comments"]["post"]
    contents = operation["requestBody"]["content"]
    refs = {media: content["schema"]["$ref"] for media, content in contents.items()}
    assert refs == {
        "application/json": "#/components/schemas/Submission",
        "application/x-www-form-urlencoded": "#/components/schemas/SubmissionForm",
    }


def test_arrays_say_what_they_hold_and_text_says_its_format(document: Any) -> None:
    formats = set()
    for schema in schemas(document):
        if schema.get("type") == "array":
            assert schema["items"], schema
        if isinstance(schema.get("format"), str):
            formats.add(schema["format"])
    assert {"date-time", "uuid", "email", "uri"} <= formats


@pytest.mark.parametrize("call", [call for call in CALLS if call.body], ids=named)
def test_the_example_of_a_body_is_a_good_body(document: Any, call: Call) -> None:
    operation = document["paths"][call.path][call.method.lower()]
    example = operation["requestBody"]["content"][call.body_types[0]]["example"]
    assert example or call.body_may_be_missing
    assert call.body
    call.body.model_validate_json(json.dumps(example), strict=True)


def test_every_event_has_a_webhook_and_real_events_match_it(
    client: Client, document: Any, moderator: Caller
) -> None:
    assert set(document["webhooks"]) == {*EVENTS, TEST}
    comment = posted(client)
    screen_all()
    moderator.decide(comment, "reject", reason="spam")
    moderator.decide(comment, "approve")
    moderator.call("DELETE", f"/comments/{comment}")
    publish_all()
    events = moderator.events()
    assert len({event["type"] for event in events}) > 2
    for event in events:
        operation = document["webhooks"][event["type"]]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(event)
        Draft202012Validator(schema).validate(content["example"])


def test_the_openapi_validator_finds_nothing(document: Any) -> None:
    validate(document)


@pytest.fixture(scope="module")
def file(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(json.dumps(document))
    return file


def test_redocly_finds_no_error(file: Path) -> None:
    program = npm_package("@redocly/cli") / "bin" / "cli.js"
    done = _run("node", program, "lint", file, "--format", "json", "--extends", "recommended")
    found = json.loads(done.stdout[done.stdout.index("{") :])
    assert found["totals"]["errors"] == 0, done.stdout


def test_spectral_finds_no_error(file: Path) -> None:
    program = npm_package("@stoplight/spectral-cli") / "dist" / "index.js"
    rules = file.with_name("spectral.yaml")
    rules.write_text('extends: ["spectral:oas"]\n')
    done = _run("node", program, "lint", "--ruleset", rules, "--fail-severity", "error", file)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
