"""Posting a comment: what is accepted, what is refused and why, and that nothing is accepted
twice.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from models.records import Comment, Thread
from models.settings import settings
from models.store.database import reading
from models.store.secrets import decrypt_email
from models.text.urls import origin_of
from service.app import create_app
from service.http import limits
from service.sites.registering import add_site
from tests.caller import COMMENT, Caller, Client, client_of, post, posted, publish_all
from tests.conftest import forget
from tests.greenroom import PATIENCE


def count_comments() -> int:
    with reading() as session:
        return session.execute(select(func.count(Comment.id))).scalar_one()


def test_an_accepted_comment_has_a_row_and_a_receipt(client: Client) -> None:
    answer = post(client)
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["status"] == "pending"
    assert answer.headers["Location"] == answer.json["receipt"]
    assert client.get(answer.json["receipt"]).json["status"] == "pending"
    assert count_comments() == 1


def test_the_email_is_kept_encrypted_and_nowhere_in_the_clear(client: Client, data: Any) -> None:
    comment = posted(client, email="Ann.Secret@example.org")
    with reading() as session:
        row = session.get_one(Comment, comment)
        assert row.email is not None
        assert decrypt_email(row.email) == "Ann.Secret@example.org"
    for file in data.rglob("*"):
        if file.is_file():
            assert b"ann.secret" not in file.read_bytes().lower(), file


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": None}, "name"),
        ({"email": None}, "email"),
        ({"body": None}, "body"),
        ({"thread": None}, "thread"),
        ({"name": "   "}, "name"),
        ({"body": "\n\t "}, "body"),
        ({"body": "\u200d\u200c"}, "body"),  # nothing visible
        ({"name": 7}, "name"),
        ({"body": ["text"]}, "body"),
        ({"body": True}, "body"),
        ({"parent": 12}, "parent"),
        ({"name": "a" * 81}, "name"),
        ({"body": "a" * 10_001}, "body"),
        ({"thread": "a" * 501}, "thread"),
        ({"website": "https://a.example/" + "a" * 500}, "website"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"website": "ftp://paper.example"}, "website"),
        ({"website": "https://[::1"}, "website"),
        ({"website": "https://ann@paper.org/"}, "website"),
        ({"website": "https://:@paper.org/"}, "website"),
        ({"website": "https:///paper.org/"}, "website"),
        ({"website": "https:paper.org"}, "website"),
        (
            {"website": "https://a.example/" + "ü" * 200},
            "website",
        ),  # 1,200 characters as browsers write it
        ({"url": "https://elsewhere.example/harbour"}, "url"),
        ({"url": "https://paper.example.evil.example/"}, "url"),
        ({"url": "https://paper.example@evil.example/"}, "url"),
        ({"email": "ann"}, "email"),
        ({"email": "ann@"}, "email"),
        ({"email": "ann@localhost"}, "email"),
        ({"email": "a@b.example, c@d.example"}, "email"),
        ({"email": "a" * 250 + "@example.org"}, "email"),
        ({"email": "a" * 65 + "@example.org"}, "email"),  # RFC 5321, 4.5.3.1.1
        ({"body": "nul\0"}, "body"),
        ({"name": "nul\0"}, "name"),
    ],
)
def test_a_wrong_field_is_named_in_the_answer(
    client: Client, wrong: dict[str, Any], field: str
) -> None:
    answer = post(client, **wrong)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in [error["field"] for error in answer.json["errors"]]
    assert all(error["message"] for error in answer.json["errors"])
    assert count_comments() == 0


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://ann.example", "https://ann.example"),
        ("https://ann.example\\@paper.org/", "https://ann.example/@paper.org/"),
        ("https://%61nn.example/", "https://ann.example/"),
        ("HTTPS://Ann.Example.:443/x", "https://ann.example/x"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("https://bücher。example", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_website_is_kept_as_a_browser_reads_it(client: Client, typed: str, kept: str) -> None:
    assert post(client, website=typed).status_code == 202
    with reading() as session:
        assert session.scalars(select(Comment.website)).one() == kept


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"nonsense", "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"x": NaN}', "application/json", 400),  # no JSON, although many parsers accept it
        (b'{"x": -Infinity}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"null", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "multipart/form-data; boundary=x", 415),
        (b"x" * 129 * 1024, "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_its_own_status(
    client: Client, body: bytes, content_type: str, status: int
) -> None:
    answer = client.post("/v1/sites/demo/comments", data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.json["status"] == status


@pytest.mark.parametrize("body", [b"[]", b"null", b"7"])
def test_a_body_that_is_no_object_is_not_reported_as_the_field_body(
    client: Client, body: bytes
) -> None:
    answer = client.post("/v1/sites/demo/comments", data=body, content_type="application/json").json
    assert answer["detail"] == "The body must be a JSON object."
    assert "errors" not in answer


@pytest.mark.parametrize(
    "email", ['"ann at home"@example.org', "a" * 64 + "@example.org", "änn@bücher.example"]
)
def test_a_rare_address_that_can_be_one_is_taken(client: Client, email: str) -> None:
    assert post(client, email=email).status_code == 202


def test_a_body_of_unknown_length_is_refused(client: Client) -> None:
    answer = client.post(
        "/v1/sites/demo/comments",
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
    )
    assert answer.status_code == 411


def test_an_unknown_id_is_a_404(client: Client) -> None:
    assert client.post("/v1/sites/nowhere/comments", json=COMMENT).status_code == 404
    assert client.post("/v1/sites/%2e%2e/comments", json=COMMENT).status_code == 404
    assert post(client, parent="01a202e5-df04-77cb-9077-336cd4ad4d3a").status_code == 404
    assert post(client, parent="../etc/passwd").status_code == 404


def test_text_is_stored_exactly_except_for_deceptive_characters(
    client: Client, moderator: Caller
) -> None:
    comment = posted(
        client, name="می‌خواهم 👨‍👩‍👧", body="می‌خواهم\u202e 👨‍👩‍👧\u2066 e\u0301\x07\tx\r\ny"
    )
    record = moderator.record(comment)
    assert record["name"] == "می‌خواهم 👨‍👩‍👧"
    assert record["body"] == "می‌خواهم 👨‍👩‍👧 é\tx\ny"


def test_unknown_fields_are_ignored_and_a_missing_token_is_no_error(client: Client) -> None:
    assert post(client, color="green", token=None).status_code == 202
    assert (
        post(client, body="A token longer than any of ours.", token="x" * 5000).status_code == 202
    )


def test_the_same_key_gives_the_same_comment_whatever_the_token(client: Client) -> None:
    first = post(client, headers={"Idempotency-Key": "k1"}, token="one")
    again = post(client, headers={"Idempotency-Key": "k1"}, token="two")
    assert first.json == again.json
    assert count_comments() == 1
    assert (
        post(client, headers={"Idempotency-Key": "k1"}, body="Something else.").status_code == 422
    )


@pytest.mark.parametrize("key", ["", " ", "\xe4", "k" * 256, "a\tb"])
def test_an_idempotency_key_that_would_not_be_kept_to_is_refused(client: Client, key: str) -> None:
    """The web server passes on a header beyond ASCII as an empty one, so two different ones would
    look the same.
    """
    answer = post(client, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.text


def test_the_same_author_and_text_get_the_first_receipt_back(client: Client) -> None:
    first = post(client)
    assert post(client, email="ANN@example.org").json == first.json
    assert post(client, email="bob@example.org").json != first.json
    assert post(client, thread="/other").json != first.json
    assert count_comments() == 3


def test_two_first_comments_at_once_make_one_thread(data: Any) -> None:
    app, statuses, together = create_app(), [], threading.Barrier(8)

    def write(number: int) -> None:
        together.wait()
        statuses.append(post(client_of(app), thread="/new", body=f"Number {number}").status_code)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert statuses == [202] * 8
    with reading() as session:
        assert session.execute(select(func.count(Thread.id))).scalar() == 1
    assert count_comments() == 8


def test_the_same_comment_sent_eight_times_at_once_is_one(data: Any) -> None:
    app, ids, together = create_app(), set(), threading.Barrier(8)

    def write() -> None:
        together.wait()
        ids.add(posted(client_of(app), headers={"Idempotency-Key": "same"}))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(ids) == 1
    assert count_comments() == 1


def test_a_closed_thread_takes_no_comment_until_it_is_opened(
    client: Client, moderator: Caller
) -> None:
    assert (
        moderator.call(
            "PATCH", "/threads", json={"thread": "/harbour", "state": "closed"}
        ).status_code
        == 200
    )
    assert post(client).status_code == 409
    publish_all()
    assert moderator.page()["state"] == "closed"
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "open"})
    assert post(client).status_code == 202


def test_an_answer_needs_a_published_comment_of_that_thread(
    client: Client, moderator: Caller
) -> None:
    parent = posted(client)
    assert post(client, parent=parent, body="Too early").status_code == 404
    moderator.decide(parent, "approve")
    assert post(client, parent=parent, body="Now").status_code == 202
    assert post(client, parent=parent, body="Elsewhere", thread="/other").status_code == 404


def test_too_many_posts_get_the_time_to_try_again(
    data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    client = client_of(create_app())
    answers = [post(client, body=f"Number {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "seconds." in answers[-1].json["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"json": {}},
        {"json": {"thread": "/a", "name": "Ann", "email": "no address", "body": "Hello"}},
        {"data": b"{", "content_type": "application/json"},
        {"data": b"text", "content_type": "text/plain"},
        {"data": b"x" * 200_000, "content_type": "application/json"},
        {"data": b"body=%ff", "content_type": "application/x-www-form-urlencoded"},
        {"data": {"name": "Ann"}},
    ],
)
def test_wrong_posts_are_counted_like_right_ones(
    data: Any, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    client = client_of(create_app())
    statuses = [client.post("/v1/sites/demo/comments", **wrong).status_code for _ in range(30)]
    assert 429 not in statuses[:10]
    assert statuses[10:] == [429] * 20
    assert client.post("/v1/sites/nowhere/comments", **wrong).status_code == 404


def test_after_too_many_posts_the_plain_form_is_shown_again_with_its_text(
    data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    monkeypatch.setenv("GREENROOM_RATE_PER_MINUTE", "1")
    settings.cache_clear()
    client = client_of(create_app())
    form = {
        "thread": "/harbour",
        "name": "Ann",
        "email": "ann@example.org",
        "body": "Typed with care.",
    }
    assert client.post("/v1/sites/demo/comments", data=form).status_code == 303
    answer = client.post("/v1/sites/demo/comments", data=form)
    assert (answer.status_code, "Typed with care." in answer.text) == (429, True)


MARKS = "\u0315\u0300\u0323"  # of three classes: NFC sorts them
ZALGO = "a" + "".join(mark * 6000 for mark in MARKS)


@pytest.mark.parametrize("field", ["thread", "name", "email", "body", "url", "website"])
def test_a_field_of_nothing_but_marks_is_refused(client: Client, field: str) -> None:
    """126 KB of them once kept the web process busy for seconds. tests/models/text/test_markdown.py
    checks their cost.
    """
    answer = post(client, **{field: ZALGO})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("field", ["thread", "name", "body"])
@pytest.mark.parametrize(("marks", "status"), [(30, 202), (31, 422)])
def test_a_letter_takes_thirty_marks(client: Client, field: str, marks: int, status: int) -> None:
    answer = post(client, **{field: "x" + (MARKS * 11)[:marks]})
    assert answer.status_code == status
    if status == 422:
        message = "One letter has too many accents or other marks: at most 30."
        assert answer.json["errors"] == [{"field": field, "message": message}]


def test_a_title_of_nothing_but_marks_is_left_out_as_no_reader_can_change_it(
    client: Client,
) -> None:
    assert post(client, title=ZALGO).status_code == 202
    with reading() as session:
        assert [page["title"] for page in session.scalars(select(Comment.page))] == [None]


@pytest.mark.parametrize("call", ["comments", "counts"])
def test_a_thread_of_nothing_but_marks_is_no_thread(client: Client, call: str) -> None:
    answer = client.get(
        f"/v1/sites/demo/{call}",
        query_string={"thread": ["/a", ZALGO] if call == "counts" else ZALGO},
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("a\r\n" * 3332 + "ende", 202),  # the stored text has 10,000 characters minus two
        ("e\u0301" * 10_000, 202),
        ("\u03b1\u0313\u0300\u0345" * 5000, 202),  # four characters that compose to one
        (" " * 60_000 + "a" * 10_000 + "\n" * 20_000, 202),
        ("a" * 10_001, 422),
        ("a\r\n" * 5001, 422),
        ("e\u0301" * 10_001, 422),
    ],
)
def test_a_body_may_be_longer_before_it_is_cleaned(client: Client, body: str, status: int) -> None:
    assert post(client, body=body).status_code == status


def test_simultaneous_posts_are_counted_one_after_the_other(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switches threads in the middle of everything
    try:
        for number in range(10):
            assert _taken_of(30, f"192.0.2.{number}") == 10
    finally:
        sys.setswitchinterval(interval)
        forget()


def _taken_of(posts: int, address: str) -> int:
    all_here = threading.Barrier(posts)

    def is_taken(_: int) -> bool:
        all_here.wait(PATIENCE)
        return limits.count_post("demo", address) is None

    with ThreadPoolExecutor(posts) as pool:
        return sum(pool.map(is_taken, range(posts)))


def test_a_wait_of_an_hour_is_given_in_minutes(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    monkeypatch.setenv("GREENROOM_RATE_PER_HOUR", "1")
    settings.cache_clear()
    client = client_of(create_app())
    post(client)
    refused = post(client, body="Another one.")
    assert refused.json["detail"].endswith("try again in 60 minutes.")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600


def test_forwarded_addresses_are_trusted_only_from_as_many_proxies_as_set(
    data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    monkeypatch.setenv("GREENROOM_RATE_PER_MINUTE", "1")

    def second_status(hops: int) -> int:
        monkeypatch.setenv("GREENROOM_PROXY_HOPS", str(hops))
        forget()
        client = client_of(create_app())
        post(client, body=f"first {hops}", headers={"X-Forwarded-For": "203.0.113.1"})
        return post(
            client, body=f"second {hops}", headers={"X-Forwarded-For": "203.0.113.2"}
        ).status_code

    assert second_status(hops=0) == 429  # the header is a stranger's word
    assert second_status(hops=1) == 202


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::2"),
        ("2001:db8::1", "2001:db8::2"),
    ],
)
def test_a_reader_is_the_same_whatever_port_a_proxy_names(
    client: Client, address: str, same: str
) -> None:
    first = client.post(
        "/v1/sites/demo/comments", json=COMMENT, environ_base={"REMOTE_ADDR": address}
    )
    again = client.post("/v1/sites/demo/comments", json=COMMENT, environ_base={"REMOTE_ADDR": same})
    assert first.json == again.json


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Paper.Example:443/a", "https://paper.example"),
        ("http://paper.example:8080", "http://paper.example:8080"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example"),  # as browsers send it
        ("https://[::1]:8000/", "https://[::1]:8000"),
        ("https://paper.example:0", None),
        ("https://user@paper.example", None),
        ("https://\u2024.example", None),
    ],
)
def test_an_origin_is_as_browsers_send_it(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "origin", ["https://*.paper.example", "https://paper.example/blog", "https://pa per.example"]
)
def test_a_site_is_not_given_an_origin_that_no_browser_sends(data: Any, origin: str) -> None:
    with pytest.raises(ValueError, match="is not a valid origin: give scheme and host"):
        add_site("other", [origin])


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://paper.example", True),
        ("https://paper.example.evil.example", False),
        ("http://paper.example", False),
        ("null", False),
        ("https://PAPER.example", False),
    ],
)
def test_cors_answers_only_the_sites_own_origins(
    client: Client, origin: str, allowed: bool
) -> None:
    for answer in (
        client.get("/v1/sites/demo/form", headers={"Origin": origin}),
        client.get("/v1/sites/demo/comments?thread=/x", headers={"Origin": origin}),
        client.options("/v1/sites/demo/comments", headers={"Origin": origin}),
        client.post("/v1/sites/demo/comments", json={}, headers={"Origin": origin}),
    ):
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        assert "Origin" in answer.headers["Vary"]
        assert "Set-Cookie" not in answer.headers


def test_a_plain_form_redirects_or_is_shown_again_with_its_errors(client: Client) -> None:
    good = client.post("/v1/sites/demo/comments", data=COMMENT)
    assert good.status_code == 303
    assert client.get(good.headers["Location"]).status_code == 200
    bad = client.post(
        "/v1/sites/demo/comments",
        data={**COMMENT, "email": "ann@", "body": "<script>alert(1)</script>"},
    )
    assert bad.status_code == 422
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in bad.text
    assert "<script>alert" not in bad.text


def test_a_receipt_cannot_be_guessed(client: Client) -> None:
    receipt = post(client).json["receipt"]
    assert client.get(receipt[:-1] + ("A" if receipt[-1] != "A" else "B")).status_code == 404
    assert client.get(receipt.partition(".")[0]).status_code == 404
    assert client.get("/v1/receipts/..%2f..%2fetc").status_code == 404
    assert client.get("/v1/receipts/é").status_code == 404


def test_a_refused_comment_leaves_nothing_behind(client: Client) -> None:
    parent = "01a2031b-663b-7080-a01f-7e74a3039c2b"
    assert (
        post(client, thread="/ghost", title="Of a refused post", parent=parent).status_code == 404
    )
    with reading() as session:
        assert session.execute(select(func.count(Thread.id))).scalar() == 0


def test_a_threads_title_and_page_come_from_its_first_approved_comment(
    client: Client, moderator: Caller
) -> None:
    spam = posted(client, title="BUY PILLS", url="https://paper.example/logout", body="Buy")
    good = posted(client, title="The harbour", url="https://paper.example/harbour")
    moderator.decide(spam, "reject")
    moderator.decide(good, "approve")
    publish_all()
    assert (moderator.page()["title"], moderator.page()["url"]) == (
        "The harbour",
        "https://paper.example/harbour",
    )
    moderator.call(
        "PATCH",
        "/threads",
        json={"thread": "/harbour", "title": "For good", "url": "https://paper.example/h"},
    )
    publish_all()
    assert (moderator.page()["title"], moderator.page()["url"]) == (
        "For good",
        "https://paper.example/h",
    )


def test_guessing_an_email_does_not_reveal_its_owners_receipt(client: Client) -> None:
    mine = post(client)
    elsewhere = client.post(
        "/v1/sites/demo/comments", json=COMMENT, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 202
    assert elsewhere.json != mine.json


@pytest.mark.parametrize("name", ["\U0001fae9", "\ue000", "a\u0301"])
def test_characters_newer_than_this_python_are_not_blank(client: Client, name: str) -> None:
    assert post(client, name=name).status_code == 202


@pytest.mark.parametrize("name", ["\u3164", "\u2800", "\u0301", "\u200b"])
def test_text_that_draws_nothing_is_blank(client: Client, name: str) -> None:
    assert post(client, name=name).status_code == 422


def test_a_plain_form_is_answered_with_pages_whatever_is_wrong(client: Client) -> None:
    for address, data, status in [
        ("/v1/sites/nowhere/comments", b"name=Ann", 404),
        ("/v1/sites/demo/comments", b"name=%ff", 400),
        ("/v1/sites/demo/comments", b"x" * 129 * 1024, 413),
    ]:
        answer = client.post(address, data=data, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == status
        assert answer.mimetype == "text/html"
