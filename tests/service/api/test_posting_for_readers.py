"""A server with a key of the scope `post` posts for its readers, and Greenroom limits each
reader.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Comment
from models.settings import settings
from models.store.database import reading
from service.people import accounts
from service.sites import registering
from tests.caller import Answer, Client, post, posted

ADDRESS = "Greenroom-Reader-Address"


@pytest.fixture(autouse=True)
def _limited(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()


@pytest.fixture
def key(client: Client) -> str:
    return accounts.create_key("demo", "post")


def post_for(client: Client, address: str, key: str | None, body: str = "Hello.") -> Answer:
    headers = {ADDRESS: address} | ({"Authorization": f"Bearer {key}"} if key else {})
    return post(client, headers=headers, body=body)


def test_readers_behind_one_server_are_limited_one_by_one(client: Client, key: str) -> None:
    for number in range(10):
        first = post_for(client, "203.0.113.1", key, body=f"First {number}")
        assert first.status_code == 202, first.text
        assert post_for(client, "203.0.113.2:4711", key, body=f"Second {number}").status_code == 202
    assert post_for(client, "203.0.113.1", key).status_code == 429
    assert post_for(client, "203.0.113.3", key).status_code == 202
    assert post(client, body="From the server's own address").status_code == 202
    with reading() as session:
        assert len(set(session.scalars(select(Comment.address)))) == 4


def test_a_passed_address_is_the_same_reader_as_one_that_posts_itself(
    client: Client, key: str
) -> None:
    posted(client, body="By the browser")
    assert post_for(client, "127.0.0.1", key, body="By the server").status_code == 202
    with reading() as session:
        assert len(set(session.scalars(select(Comment.address)))) == 1


def test_a_passed_address_without_the_scope_is_refused(client: Client) -> None:
    registering.add_site("other", ["https://other.example"])
    assert post_for(client, "203.0.113.1", None).status_code == 401
    assert post_for(client, "203.0.113.1", "gr_x").status_code == 401
    for key in (accounts.create_key("demo", "admin"), accounts.create_key("other", "post")):
        assert post_for(client, "203.0.113.1", key).status_code == 403
    with reading() as session:
        assert session.scalars(select(Comment.id)).all() == []


@pytest.mark.parametrize("address", ["", "somebody", "203.0.113.1, 10.0.0.1", "999.0.0.1"])
def test_a_text_that_is_no_address_is_refused(client: Client, key: str, address: str) -> None:
    assert post_for(client, address, key).status_code == 422


def test_refused_addresses_count_as_posts_of_the_server(client: Client) -> None:
    for number in range(10):
        assert post_for(client, f"203.0.113.{number}", "gr_x").status_code == 401
    assert post_for(client, "203.0.113.99", "gr_x").status_code == 429
