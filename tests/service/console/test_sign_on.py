"""Owners manage their site's sign-on, and test a token before readers do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from models.records import Act, Reader
from models.store.database import reading
from service.readers.mine import erase_reader
from service.readers.sign_on import Settings, kid_of, list_secrets, save_settings, settings_of
from tests.caller import Client, post, screen_all
from tests.service.readers.tokens import BY, demo, new_secret, token
from tests.service.signed_in import SignedIn

PAGE = "/sites/demo/sign-on"


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def test_an_owner_creates_and_revokes_a_secret(ann: SignedIn) -> None:
    page = ann.confirmed(f"{PAGE}/secrets")
    (secret,) = re.findall(r"sso_[0-9a-f]{64}", page.text)
    assert secret not in ann.get(PAGE)
    kid = kid_of(secret)
    assert f"<code>{kid}</code>" in ann.get(PAGE)
    assert ann.form(f"{PAGE}/secrets/{kid}/revoke").status_code == 303
    assert list_secrets(demo().id)[0].revoked_at
    assert ann.form(f"{PAGE}/secrets/{kid}/revoke").status_code == 404
    with reading() as session:
        acts = set(session.scalars(select(Act.what)))
    assert {f"created the sign-on secret {kid}", f"revoked the sign-on secret {kid}"} <= acts


def test_a_third_secret_is_refused(ann: SignedIn) -> None:
    new_secret()
    new_secret()
    page = ann.confirmed(f"{PAGE}/secrets")
    assert page.status_code == 409
    assert "two live secrets" in page.text


def test_settings_are_saved_and_wrong_ones_are_explained(ann: SignedIn) -> None:
    good: dict[str, Any] = {"jwks_url": "https://id.example/jwks", "algorithms": ["HS256", "EdDSA"]}
    assert ann.confirmed(PAGE, **good).status_code == 303
    with reading() as session:
        kept = settings_of(session, demo().id)
    assert kept == Settings("https://id.example/jwks", ("HS256", "EdDSA"))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"algorithms": []}, "Choose at least one algorithm."),
        ({"algorithms": ["none"]}, "Choose at least one algorithm."),
        ({"jwks_url": ""}, "Enter the JWKS URL with the public keys for EdDSA."),
        ({"jwks_url": "http://id.example/jwks"}, "JWKS URLs must use https"),
        ({"jwks_url": "https://10.0.0.1/jwks"}, "not a public address"),
    ]
    for wrong, reason in refused:
        page = ann.confirmed(PAGE, **good | wrong)
        assert (page.status_code, reason in page.text) == (422, True), (wrong, page.text)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "Reader <code>7</code>, named “<bdi>Ann Reed</bdi>”"),
        ({"email": "a@paper.example", "email_verified": True}, "confirmed by your site"),
        ({"email": "a@paper.example"}, "not confirmed"),
        ({"roles": ["staff"], "avatar": "http://x.example"}, "cannot be used: avatar"),
        ({"exp": 1}, "The token is not accepted. It has expired."),
        ({"iss": "other"}, "`iss` must be the site&#39;s key, demo"),
    ],
)
def test_a_token_is_tested_with_a_clear_answer(
    ann: SignedIn, changed: dict[str, object], says: str
) -> None:
    page = ann.form(f"{PAGE}/test", token=token(new_secret(), **changed))
    assert page.status_code == 200
    assert says in page.text


def test_a_test_neither_uses_up_the_token_nor_stores_its_reader(ann: SignedIn) -> None:
    save_settings(demo().id, Settings(is_single_use=True), by=BY)
    made = token(new_secret(), jti="once")
    for _ in range(2):
        assert "The token is accepted until" in ann.form(f"{PAGE}/test", token=made).text
    with reading() as session:
        assert session.scalars(select(Reader)).all() == []


def test_a_moderator_sees_who_signed_in_and_later_that_the_reader_is_erased(
    ann: SignedIn, client: Client
) -> None:
    secret = new_secret()
    comment = post(client, headers={"Greenroom-Identity": token(secret)}).json["id"]
    screen_all()
    page = ann.get(f"/items/{comment}")
    assert "Signed in by the site, known since" in page
    assert "now called" not in page
    with reading() as session:
        reader = session.scalars(select(Reader.id)).one()
    erase_reader(reader)
    page = ann.get(f"/items/{comment}")
    assert "; this reader's data has been erased" in page
    assert "now called" not in page
