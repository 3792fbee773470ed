"""The life of API keys: they are created, listed and rotated, and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.records import Act, ApiKey, Site
from models.store.database import begin, now, reading
from service.http.problems import Problem
from service.people import api_keys
from service.people.api_keys import NewKey
from tests.caller import Caller, Client


def site_id(site: str = "demo") -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == site)).one()


def create(*scopes: str, name: str = "", expires_at: datetime | None = None) -> api_keys.Made:
    with begin() as session:
        new = NewKey(scopes, name, expires_at)
        return api_keys.create(session, site_id(), new, by="moderator:x")


def status(client: Client, key: str, path: str = "/events") -> int:
    answer = Caller(client, key).call("GET", path)
    answer.close()  # as a server does after the answer is sent: only then is the use recorded
    return answer.status_code


def test_a_key_stores_its_highest_scope_and_separate_ones(client: Client) -> None:
    made = create("post", "read", "moderate", name=" CMS ")
    assert (api_keys.scopes_of(made.row), made.row.name) == (["moderate", "post"], "CMS")
    assert status(client, made.key, "/queue") == 200
    assert status(client, made.key, "/policy") == 403
    assert status(client, create("post").key) == 403


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewKey(()), "scopes"),
        (NewKey(("king",)), "scopes"),
        (NewKey(("metrics",)), "scopes"),
        (NewKey(("read",), "x" * 81), "name"),
        (NewKey(("read",), "", datetime(2020, 1, 1, tzinfo=UTC)), "expires_at"),
        (NewKey(("read",), "", datetime(9999, 1, 1, tzinfo=UTC)), "expires_at"),
    ],
)
def test_a_wrong_key_is_refused_by_field(client: Client, new: NewKey, field: str) -> None:
    with pytest.raises(Problem) as refused, begin() as session:
        api_keys.create(session, site_id(), new, by="moderator:x")
    assert [error["field"] for error in refused.value.errors] == [field]


def test_a_creator_gives_no_scope_that_it_does_not_have(client: Client) -> None:
    for scopes, within in ((("admin",), ("moderate",)), (("read", "post"), ("admin",))):
        with pytest.raises(Problem) as refused, begin() as session:
            api_keys.create(session, site_id(), NewKey(scopes), by="key:x", within=within)
        assert refused.value.status == 403


def test_an_expired_or_revoked_key_has_no_access(client: Client) -> None:
    brief = create("read", expires_at=now() + timedelta(hours=1))
    ended, lasting = create("read"), create("read")
    with begin() as session:
        api_keys.revoke(session, api_keys.any_key(session, ended.row.id), by="moderator:x")
    assert [status(client, made.key) for made in (brief, ended, lasting)] == [200, 401, 200]
    with time_machine.travel(now() + timedelta(hours=2)):
        assert [status(client, made.key) for made in (brief, ended, lasting)] == [401, 401, 200]
        with reading() as session:
            states = {row.id: api_keys.state_of(row) for row in api_keys.listed(session, site_id())}
    made = (brief, ended, lasting)
    assert [states[each.row.id] for each in made] == ["expired", "revoked", "live"]


def test_an_older_key_keeps_working_without_an_expiry(client: Client) -> None:
    made = create("moderate")
    with begin() as session:
        row = session.get_one(ApiKey, made.row.id)
        row.scopes, row.created_by = None, None
    assert status(client, made.key, "/queue") == 200
    with reading() as session:
        shape = api_keys.key_shape(session.get_one(ApiKey, made.row.id))
    assert (shape["scopes"], shape["expires_at"]) == (["moderate"], None)


def test_a_rotated_key_works_beside_the_new_one_until_its_given_end(client: Client) -> None:
    old = create("moderate", "post", name="CMS", expires_at=now() + timedelta(days=90))
    with begin() as session:
        row = api_keys.any_key(session, old.row.id)
        new = api_keys.rotate(session, row, by="moderator:x", overlap=timedelta(hours=3))
    assert (new.row.name, api_keys.scopes_of(new.row)) == ("CMS", ["moderate", "post"])
    assert new.row.expires_at is not None
    assert new.row.expires_at - now() > timedelta(days=89)
    assert status(client, old.key) == status(client, new.key) == 200
    with pytest.raises(Problem, match="already been rotated"), begin() as session:
        api_keys.rotate(session, api_keys.any_key(session, old.row.id), by="moderator:x")
    with time_machine.travel(now() + timedelta(hours=4)):
        assert (status(client, old.key), status(client, new.key)) == (401, 200)
        with pytest.raises(Problem, match="no longer works"), begin() as session:
            api_keys.rotate(session, api_keys.any_key(session, old.row.id), by="moderator:x")


def test_rotating_a_key_gives_no_additional_scope(client: Client) -> None:
    old = create("admin", "post")
    with begin() as session:
        row = api_keys.any_key(session, old.row.id)
        with pytest.raises(Problem) as refused:
            api_keys.rotate(session, row, by="key:x", within=("admin",))
    assert refused.value.status == 403


def test_each_change_of_a_key_is_in_the_log(client: Client) -> None:
    made = create("read", name="CMS")
    with begin() as session:
        api_keys.rotate(session, api_keys.any_key(session, made.row.id), by="moderator:x")
    for _ in range(2):
        with begin() as session:
            api_keys.revoke(session, api_keys.any_key(session, made.row.id), by="moderator:x")
    with reading() as session:
        acts = session.scalars(select(Act).order_by(Act.id)).all()
    assert {(act.by, act.kind, act.site_id) for act in acts} == {("moderator:x", "keys", site_id())}
    whats = [act.what.partition(";")[0] for act in acts]
    assert whats == [
        "created the key “CMS” (read)",
        "rotated the key “CMS”",
        "revoked the key “CMS”",
    ]


def test_the_last_use_is_noted_at_most_once_a_minute(client: Client) -> None:
    made = create("read")

    def last_used() -> datetime | None:
        with reading() as session:
            return session.get_one(ApiKey, made.row.id).last_used_at

    start = now()
    with time_machine.travel(start, tick=False) as clock:
        assert last_used() is None
        assert status(client, made.key) == 200
        first = last_used()
        assert first == start
        clock.shift(30)
        assert status(client, made.key) == 200
        assert last_used() == first
        clock.shift(31)
        assert status(client, made.key) == 200
        assert last_used() == start + timedelta(seconds=61)


def test_a_line_of_the_list_begins_with_the_id(client: Client) -> None:
    made = create("read", name="CMS")
    with reading() as session:
        line = api_keys.lines(session, "demo", ended=False)[0]
        assert api_keys.lines(session, None, ended=False) == [line]
    assert line.split()[0] == made.row.id
    assert line.split("  ")[1:5] == ["demo", "read", "live", "“CMS”"]
    assert "by moderator:x" in line
    assert line.endswith("last used never")
    with pytest.raises(ValueError, match="no site 'nowhere'"), reading() as session:
        api_keys.lines(session, "nowhere", ended=False)


@pytest.mark.parametrize("text", ["soon", "", "90", "2027-13-01"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        api_keys.parsed_expiry(text)


def test_an_expiry_is_a_time_from_now_or_a_date() -> None:
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        assert api_keys.parsed_expiry("90d") == datetime(2026, 5, 30, tzinfo=UTC)
        assert api_keys.parsed_expiry("12h") == datetime(2026, 3, 1, 12, tzinfo=UTC)
        assert api_keys.parsed_expiry("2027-01-31") == datetime(2027, 1, 31, tzinfo=UTC)
        assert api_keys.parsed_expiry("2027-01-31T12:00+01:00") == datetime(
            2027, 1, 31, 11, tzinfo=UTC
        )
