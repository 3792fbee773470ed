"""A request's identity: from the header or the form, and a reader who is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from models import caches
from models.records import Comment, Reader
from models.store.database import engine, reading
from models.store.secrets import decrypt_email
from service.http.problems import Problem
from service.readers.identity import Identity, identify
from tests.caller import Caller, Client, post, posted, publish_all, screen_all
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


def test_a_reader_who_signed_on_posts_without_name_and_email(client: Client) -> None:
    identity = {
        "Greenroom-Identity": token(new_secret(), roles=["staff"], url="https://ann.example")
    }
    answer = post(client, headers=identity, name=None, email=None)
    assert answer.status_code == 202
    with reading() as session:
        comment = session.get_one(Comment, answer.json["id"])
        reader = session.scalars(select(Reader)).one()
    assert (comment.name, comment.email, comment.website) == (
        "Ann Reed",
        None,
        "https://ann.example",
    )
    assert (comment.reader_id, comment.badges) == (reader.id, ["staff"])


def test_the_tokens_name_and_email_replace_those_of_the_body(client: Client) -> None:
    made = token(new_secret(), email="ann@paper.example")
    answer = post(client, headers={"Greenroom-Identity": made}, name=None, email="b@c.example")
    with reading() as session:
        comment = session.get_one(Comment, answer.json["id"])
    assert comment.email
    assert (comment.name, decrypt_email(comment.email)) == ("Ann Reed", "ann@paper.example")


def test_without_an_email_in_the_token_that_of_the_body_is_checked_and_kept(client: Client) -> None:
    identity = {"Greenroom-Identity": token(new_secret())}
    refused = post(client, headers=identity, email="nonsense")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "email"
    assert post(client, headers=identity).status_code == 202


def test_a_form_with_an_identity_needs_no_name_and_email(client: Client) -> None:
    form = {"thread": "/harbour", "body": "The ferry was late.", "identity": token(new_secret())}
    assert client.post("/v1/sites/demo/comments", data=form).status_code == 303
    refused = client.post("/v1/sites/demo/comments", data={**form, "identity": "nonsense"})
    assert refused.status_code == 401
    assert "Your sign-in has expired" in refused.text


def test_a_wrong_token_is_a_401_and_nothing_is_stored(client: Client) -> None:
    new_secret()
    answer = post(client, headers={"Greenroom-Identity": token("x" * 40)})
    assert answer.status_code == 401
    assert "identity token is not accepted" in answer.json["detail"]
    with reading() as session:
        assert session.scalars(select(Comment)).all() == []


def test_badges_are_shown_wherever_the_comment_is(moderator: Caller) -> None:
    identity = {"Greenroom-Identity": token(new_secret(), roles=["staff"])}
    client, id_ = moderator.client, post(moderator.client, headers=identity).json["id"]
    assert moderator.call("POST", f"/comments/{id_}/decisions", json={"verdict": "approve"})
    posted(client, body="Another one, by nobody known.")
    publish_all()
    (shown,) = client.get("/v1/sites/demo/comments?thread=/harbour").json["comments"]
    assert shown["badges"] == ["staff"]
    feed = client.get("/sites/demo/thread.atom?thread=/harbour").text
    assert '<category scheme="urn:greenroom:badge" term="staff" />' in feed
    assert (
        '<span class="badge" dir="auto">Team</span>'
        in client.get("/sites/demo/thread?thread=/harbour").text
    )
    (happened,) = moderator.call("GET", "/events").json["events"]
    assert happened["data"]["comment"]["badges"] == ["staff"]
    record = moderator.call("GET", f"/comments/{id_}").json
    assert record["badges"] == ["staff"]
    assert (record["reader"]["kind"], record["reader"]["name"]) == ("signed_on", "Ann Reed")
    moderator.call("DELETE", f"/comments/{id_}")
    erased = moderator.call("GET", f"/comments/{id_}").json
    assert (erased["badges"], erased["reader"]) == ([], None)


def test_a_reader_under_a_taken_name_is_told_why_the_comment_is_held(moderator: Caller) -> None:
    client = moderator.client
    post(client, headers={"Greenroom-Identity": token(new_secret())})
    receipt = post(client, name="ánn reed").json["receipt"]
    screen_all()
    held = client.get(receipt).json
    assert (held["status"], held["field"]) == ("flagged", "name")
    assert held["reason"].startswith("This name is reserved or belongs to someone else.")
    page = client.get(receipt.replace("/v1/receipts", "/sites/demo/receipts")).text
    assert held["reason"] in page


@pytest.mark.parametrize(
    ("policy", "anonymous", "signed_on"),
    [("anyone", 202, 202), ("proven", 401, 202), ("signed_in", 401, 202)],
)
def test_a_site_decides_who_may_post(
    moderator: Caller, policy: str, anonymous: int, signed_on: int
) -> None:
    assert moderator.call("PATCH", "/policy", json={"identity": policy}).status_code == 200
    caches.forget()
    assert post(moderator.client).status_code == anonymous
    identity = {"Greenroom-Identity": token(new_secret())}
    assert post(moderator.client, headers=identity).status_code == signed_on
    assert moderator.client.get("/v1/sites/demo/form").json["identity"] == policy


def test_a_thread_may_differ_from_its_site(moderator: Caller) -> None:
    changed = moderator.call("PATCH", "/threads", json={"thread": "/vote", "identity": "signed_in"})
    assert changed.json["identity"] == "signed_in"
    refused = post(moderator.client, thread="/vote")
    assert (refused.status_code, refused.json["detail"]) == (401, "To comment here, sign in first.")
    assert post(moderator.client).status_code == 202
    moderator.call("PATCH", "/threads", json={"thread": "/vote", "identity": None})
    assert post(moderator.client, thread="/vote").status_code == 202


def test_an_anonymous_comment_costs_no_query_for_identities(client: Client) -> None:
    post(client)  # what is cached is cached now
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    assert post(client, body="Another comment.").status_code == 202
    event.remove(engine(), "before_cursor_execute", note)
    assert statements
    assert not [each for each in statements if "readers" in each or "sign_on" in each]
