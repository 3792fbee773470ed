"""A request's identity: from the header or the form, and a reader who is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.records import Reader
from models.store.database import reading
from service.http.problems import Problem
from service.readers.identity import Identity, identify
from tests.caller import Client
from tests.service.readers.tokens import demo, new_secret, token


def identified(app: Flask, **request: Any) -> Identity | None:
    with app.test_request_context("/v1/sites/demo/comments", method="POST", **request):
        return identify(demo())


def test_a_request_without_an_identity_is_anonymous(client: Client, app: Flask) -> None:
    assert identified(app, data={"name": "Ann"}) is None


def test_the_header_and_the_form_identify_the_same_reader(client: Client, app: Flask) -> None:
    secret = new_secret()
    by_header = identified(app, headers={"Greenroom-Identity": token(secret, roles=["staff"])})
    by_form = identified(app, data={"identity": token(secret, name="Ann R.", roles=["staff"])})
    assert by_header
    assert by_form == by_header._replace(name="Ann R.")
    assert (by_header.kind, by_header.badges) == ("signed_on", ("staff",))
    with reading() as session:
        (reader,) = session.scalars(select(Reader)).all()
    assert (reader.id, reader.name, reader.badges) == (by_header.reader_id, "Ann R.", ["staff"])


@pytest.mark.parametrize("given", ["nonsense", "rk_unknown"])
def test_an_identity_that_is_not_accepted_is_a_401_with_the_reason(
    client: Client, app: Flask, given: str
) -> None:
    with pytest.raises(Problem) as refused:
        identified(app, headers={"Greenroom-Identity": given})
    assert refused.value.status == 401
    assert refused.value.headers
    assert "WWW-Authenticate" in refused.value.headers


def test_only_a_confirmed_address_is_remembered(client: Client, app: Flask) -> None:
    secret = new_secret()
    for is_proven in (False, True, False):
        made = token(secret, email="ann@example.org", email_verified=is_proven)
        found = identified(app, headers={"Greenroom-Identity": made})
        assert found
        assert (found.email, found.email_is_proven) == ("ann@example.org", is_proven)
        with reading() as session:
            reader = session.scalars(select(Reader)).one()
        assert (reader.email is not None, reader.email_index != "") == (is_proven, is_proven)
