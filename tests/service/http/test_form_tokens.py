"""The form's token tells for which site, and how long ago, a form was loaded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import runtime
from models.judgement.candidate import Form
from models.settings import settings
from models.store import secrets
from service.http.form_tokens import (
    LONGEST,
    MOST_SECONDS,
    _signer,
    issue_form_token,
    read_form_token,
)

AT = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: secrets.Secrets) -> Iterator[None]:
    """An installation with keys and without a database, at a fixed second."""
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setattr(time, "time", lambda: AT)
    settings.cache_clear()
    runtime.replace()
    secrets.keep_secrets(keys)
    yield
    settings.cache_clear()
    runtime.replace()


def read(token: str | None, site: str = "demo", *, honeypot: bool = False) -> Form:
    return read_form_token(site, token, honeypot=honeypot)


@pytest.mark.parametrize(
    ("later", "form"),
    [
        (0, Form("valid", 0.0)),
        (7.25, Form("valid", 7.25)),
        (MOST_SECONDS, Form("valid", float(MOST_SECONDS))),
        (MOST_SECONDS + 1, Form("expired", MOST_SECONDS + 1.0)),
        (-1, Form("forged", None)),  # a clock that was set back, or a token from tomorrow
    ],
)
def test_a_token_tells_how_long_ago_the_form_was_shown(
    monkeypatch: pytest.MonkeyPatch, later: float, form: Form
) -> None:
    token = issue_form_token("demo")
    monkeypatch.setattr(time, "time", lambda: AT + later)
    assert read(token) == form


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_distinguished_from_a_wrong_one(token: str | None) -> None:
    assert read(token) == Form("missing", None)


@pytest.mark.parametrize(
    "token", ["x", "....", "a.b", "é", "\0", "WyJkZW1vIiwxXQ.bad", "x" * LONGEST, "x" * 100_000]
)
def test_a_token_that_we_did_not_sign_is_forged(token: str) -> None:
    assert read(token) == Form("forged", None)


def test_one_changed_character_makes_it_forged() -> None:
    token = issue_form_token("demo")
    for place in (0, len(token) // 2):
        other = "A" if token[place] != "A" else "B"
        assert read(token[:place] + other + token[place + 1 :]) == Form("forged", None)


def test_another_sites_token_is_forged() -> None:
    assert read(issue_form_token("another")) == Form("forged", None)


@pytest.mark.parametrize(
    "content", ["text", 7, None, [], ["demo"], ["demo", "soon"], {"a": 1, "b": 2}]
)
def test_a_signed_value_of_another_shape_is_forged(content: object) -> None:
    token = str(_signer().dumps(content))
    assert read(token) == Form("forged", None)


def test_a_filled_honeypot_is_reported_whatever_the_token() -> None:
    for token in (None, "x", issue_form_token("demo")):
        assert read(token, honeypot=True).honeypot
        assert not read(token).honeypot


def test_our_own_tokens_are_short_enough() -> None:
    assert len(issue_form_token("s" * 64)) < LONGEST
