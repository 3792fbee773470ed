"""Keys by the API: an admin key manages those of its site, and gives no more than it has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.store.database import now, reading
from models.text.stamps import utc_stamp
from service.people import accounts, keys
from service.sites import registering
from tests.caller import Caller, Client


def test_a_key_is_created_listed_rotated_and_revoked(client: Client, moderator: Caller) -> None:
    end = utc_stamp(now() + timedelta(days=9))
    new = {"name": "CMS", "scopes": ["read", "moderate"], "expires_at": end}
    made = moderator.call("POST", "/keys", json=new).json
    assert (made["scopes"], made["name"], made["state"]) == (["moderate"], "CMS", "live")
    assert made["created_by"].startswith("key:")
    cms = Caller(client, made["key"])
    assert cms.call("GET", "/queue").status_code == 200
    newer = moderator.call("POST", f"/keys/{made['id']}/rotate", json={"overlap_seconds": 60}).json
    shown = {key["id"]: key for key in moderator.call("GET", "/keys").json["keys"]}
    assert not any("key" in key for key in shown.values())
    assert shown[made["id"]]["replaced_by"] == newer["id"]
    assert shown[made["id"]]["expires_at"] < end
    assert moderator.call("DELETE", f"/keys/{newer['id']}").status_code == 204
    assert Caller(client, newer["key"]).call("GET", "/queue").status_code == 401
    assert cms.call("GET", "/queue").status_code == 200


def test_a_key_gives_no_scope_that_it_does_not_have(client: Client, moderator: Caller) -> None:
    wanted = {"name": "CMS", "scopes": ["read", "post"]}
    assert moderator.call("POST", "/keys", json=wanted).status_code == 403
    both = Caller(client, accounts.create_key("demo", "admin", "post"))
    made = both.call("POST", "/keys", json=wanted)
    assert made.status_code == 201
    assert moderator.call("POST", f"/keys/{made.json['id']}/rotate").status_code == 403
    assert moderator.call("DELETE", f"/keys/{made.json['id']}").status_code == 204


def test_another_sites_keys_are_not_there(client: Client, moderator: Caller) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.create_key("other", "read")
    with reading() as session:
        theirs = keys.listed(session, keys.site_id_of(session, "other"))[0].id
    assert theirs not in moderator.call("GET", "/keys").text
    assert moderator.call("DELETE", f"/keys/{theirs}").status_code == 404
    assert moderator.call("POST", f"/keys/{theirs}/rotate").status_code == 404
    elsewhere = client.post(
        "/v1/sites/other/keys",
        json={"name": "", "scopes": ["read"]},
        headers={"Authorization": f"Bearer {moderator.key}"},
    )
    assert elsewhere.status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "CMS", "scopes": []},
        {"name": "CMS", "scopes": ["metrics"]},
        {"name": "x" * 81, "scopes": ["read"]},
        {"name": "CMS", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "CMS", "scopes": ["read"], "expires_at": "soon"},
        {"scopes": ["read"]},
    ],
)
def test_a_wrong_key_is_refused(moderator: Caller, wrong: dict[str, object]) -> None:
    assert moderator.call("POST", "/keys", json=wrong).status_code == 422
