"""A request's head as Flask sees it."""

from __future__ import annotations

import pytest

from service.gate.environ import environ_of
from service.gate.rsgi import Headers
from tests.service.gate.asked import Sent


def of(lines: Headers) -> dict[str, str]:
    """Return the environ of these headers."""
    made = environ_of(Sent("GET", "/", "", lines))
    return {name: value for name, value in made.items() if name.startswith(("HTTP_", "CONTENT_"))}


def test_a_name_with_an_underscore_never_passes_for_another() -> None:
    lines = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x_forwarded_for", "198.51.100.9"),
        ("content_length", "9"),
    ]
    assert of(lines) == {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    assert of(lines[1:]) == {}


def test_repeated_headers_are_joined_and_of_length_and_type_the_first_counts() -> None:
    lines = [("accept", "a"), ("accept", "b"), ("cookie", "c=1"), ("cookie", "d=2")]
    assert of(lines) == {"HTTP_ACCEPT": "a,b", "HTTP_COOKIE": "c=1; d=2"}
    assert of([("content-type", "a"), ("content-type", "b")]) == {"CONTENT_TYPE": "a"}


def test_a_header_value_that_is_not_ascii_becomes_empty() -> None:
    assert of([("idempotency-key", "\u00e4")]) == {"HTTP_IDEMPOTENCY_KEY": ""}


@pytest.mark.parametrize(
    ("client", "address"), [("192.0.2.7:4711", "192.0.2.7"), ("[2001:db8::1]:4711", "2001:db8::1")]
)
def test_the_peers_address_has_no_port(client: str, address: str) -> None:
    assert environ_of(Sent("GET", "/", client=client))["REMOTE_ADDR"] == address


def test_a_path_is_bytes_as_pep_3333_wants_them() -> None:
    made = environ_of(Sent("GET", "/\u00e9//\x00 ", "x=%2F&\u00fc"))
    assert made["PATH_INFO"] == "/\u00c3\u00a9//\x00 "
    assert made["QUERY_STRING"] == "x=%2F&\u00c3\u00bc"
    assert made["SCRIPT_NAME"] == ""
