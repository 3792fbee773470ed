"""API keys over the API: an admin key manages those of its site, and gives no scope that it
lacks.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.store.database import now, reading
from models.text.stamps import utc_stamp
from service.people import accounts, api_keys
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import SignedIn


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
        theirs = api_keys.listed(session, api_keys.site_id_of(session, "other"))[0].id
    assert theirs not in moderator.call("GET", "/keys").text
    assert moderator.call("DELETE", f"/keys/{theirs}").status_code == 404
    assert moderator.call("POST", f"/keys/{theirs}/rotate").status_code == 404
    elsewhere = client.post(
        "/v1/sites/other/keys",
        json={"name": "", "scopes": ["read"]},
        headers={"Authorization": f"Bearer {moderator.key}"},
    )
    assert elsewhere.status_code == 403


def test_a_record_an_event_and_a_log_line_name_the_actor(client: Client, moderator: Caller) -> None:
    made = moderator.call("POST", "/keys", json={"name": "CMS", "scopes": ["moderate"]}).json
    cms = {"type": "key", "id": made["id"], "name": "CMS"}
    comment = posted(client)
    screen_all()
    answer = Caller(client, made["key"]).decide(comment, "reject")
    assert (answer.json["by"], answer.json["actor"]) == (f"key:{made['id']}", cms)
    by_policy, by_key = moderator.record(comment)["decisions"]
    assert by_policy["actor"] == {"type": "policy", "id": None, "name": "Greenroom"}
    assert by_key["actor"] == cms
    line = moderator.call("GET", "/log?kind=decisions").json["log"][0]
    assert line["actor"] == line["decision"]["actor"] == cms
    approved, rejected = (event["data"]["decision"] for event in moderator.events())
    assert (approved["by"], approved["actor"]["type"]) == ("policy", "policy")
    assert (rejected["by"], rejected["actor"]) == ("moderator", cms)


def test_an_event_names_a_moderator_by_id_and_never_by_email(
    client: Client, moderator: Caller
) -> None:
    ann = SignedIn(client)
    comment = posted(client)
    screen_all()
    ann.decide(comment, verdict="reject", reason="spam")
    actor = moderator.events()[-1]["data"]["decision"]["actor"]
    assert (actor["type"], actor["name"]) == ("moderator", None)
    named = {"type": "moderator", "id": actor["id"], "name": "ann@paper.example"}
    assert moderator.record(comment)["decisions"][-1]["actor"] == named
    assert "ann@paper.example" not in moderator.call("GET", "/events").text


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
