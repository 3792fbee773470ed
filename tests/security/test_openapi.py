"""Schemathesis calls every operation of /openapi.json, with valid and with invalid requests.

The test is bounded and repeatable: a fixed seed, a fixed number of cases, and a service in this
process. For more cases: GREENROOM_EXAMPLES=200 .venv/bin/python -m pytest
tests/security/test_openapi.py
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as bounded
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    not_a_server_error,
)
from schemathesis.openapi import from_wsgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.people import accounts
from tests.caller import Caller, Client, posted, screen_all

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EXAMPLES = int(os.environ.get("GREENROOM_EXAMPLES", "2"))  # of each operation, with each key
SEED = 112_026
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LIMITS = bounded(
    max_examples=EXAMPLES,
    deadline=None,  # how long an answer takes depends on the machine
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: str(mode.value)
)
@pytest.mark.parametrize("scope", ["read", "admin"])
def test_every_operation_answers_as_described(
    client: Client, moderator: Caller, scope: str, mode: GenerationMode
) -> None:
    posted(client)
    screen_all()
    headers = {"Authorization": f"Bearer {accounts.create_key('demo', scope)}"}
    schema = from_wsgi("/openapi.json", client.application)
    called = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        with suppress(Unsatisfiable):  # an operation without parameters has no invalid request
            _call(operation, mode, headers)
            called.add(operation.label)
    assert len(called) > 30


def _call(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @LIMITS
    @seed(SEED)
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        if "site" in case.path_parameters:
            case.path_parameters["site"] = "demo"
        # The 503 of a health check is documented: it names the missing part, which is the broker
        # here.
        excluded = [not_a_server_error] if operation.path.startswith("/health/") else []
        case.call_and_validate(headers=headers, checks=CHECKS, excluded_checks=excluded)

    call()
