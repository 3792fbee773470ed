"""API keys in the console: an owner creates, rotates and revokes them, with the password."""

from __future__ import annotations

import re

import pytest

from tests.caller import Caller, Client
from tests.service.signed_in import SignedIn

PLACE = "/sites/demo/keys"


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def created(ann: SignedIn, **fields: str) -> str:
    page = ann.confirmed(PLACE, **{"name": "CMS", "scope": "moderate", **fields})
    assert page.status_code == 200, page.text
    return re.findall(r"gr_[\w-]{43}", page.text)[0]


def test_an_owner_creates_rotates_and_revokes_a_key(client: Client, ann: SignedIn) -> None:
    assert PLACE in ann.get("/settings")
    key = created(ann, life="90", post="1")
    assert Caller(client, key).call("GET", "/queue").status_code == 200
    page = ann.get(PLACE)
    assert key not in page
    assert "moderate, post" in page
    assert "by ann@paper.example" in page
    place = PLACE + "/" + re.findall(r"demo/keys/([0-9a-f-]{36})", page)[0]
    rotated = ann.confirmed(f"{place}/rotate", overlap="24")
    newer = re.findall(r"gr_[\w-]{43}", rotated.text)[0]
    for works in (key, newer):
        assert Caller(client, works).call("GET", "/queue").status_code == 200
    assert "replaced by a new key" in ann.get(PLACE)
    assert ann.form(f"{place}/revoke").status_code == 303
    assert Caller(client, key).call("GET", "/queue").status_code == 401
    assert "Revoked and expired keys (1)" in ann.get(PLACE)
    log = ann.get("/log?kind=keys")
    assert all(did in log for did in ("created the key", "rotated the key", "revoked the key"))


def test_a_wrong_form_is_explained(ann: SignedIn) -> None:
    refused = ann.confirmed(PLACE, name="CMS", scope="")
    assert refused.status_code == 422
    assert "at least one scope" in refused.text
    assert ann.confirmed(PLACE, name="CMS", life="7").status_code == 422
    assert ann.form(f"{PLACE}/nonsense/revoke").status_code == 404
    assert ann.form(f"{PLACE}/nonsense/rotate", overlap="5").status_code == 422


@pytest.mark.parametrize("role", ["moderator", "viewer"])
def test_only_owners_see_keys(client: Client, role: str) -> None:
    ben = SignedIn(client, "ben@paper.example", role=role)
    assert ben.client.get(f"/console{PLACE}").status_code == 403
    assert "API keys of" not in ben.get("/settings")
