"""Published threads in an object store: the same over real HTTP, with moto's S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.request import Request, urlopen

import obstore
import pytest
import time_machine
from moto.server import ThreadedMotoServer
from sqlalchemy import select

from models.identifiers import new_id
from models.records import Thread
from models.settings import settings
from models.store import storage
from models.store.database import now, reading
from tests.caller import Caller, Client, posted, publish_all
from tests.greenroom import PATIENCE, free_port
from worker import sweep

PAGE = "/v1/sites/demo/comments?thread=/harbour"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Yield the URL of an S3 over plain http, with a bucket `paper`."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    urlopen(Request(f"{address}/paper", method="PUT"), timeout=PATIENCE).close()
    yield address
    server.stop()
    assert server._server
    server._server.server_close()


@pytest.fixture
def store(s3: str, data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish everything to the bucket, under a separate name."""
    monkeypatch.setenv("GREENROOM_STORAGE_URL", f"s3://paper/{new_id()}")
    for name, value in {
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
        "REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT", s3)
    forget_store()


def forget_store() -> None:
    for remembered in (settings, storage.store, storage._local):
        remembered.cache_clear()


def approve(client: Client, moderator: Caller, **fields: str) -> str:
    comment = posted(client, **fields)
    moderator.decide(comment, "approve")
    publish_all()
    return comment


def test_a_thread_is_published_read_with_its_etag_and_taken_down(
    store: None, client: Client, moderator: Caller
) -> None:
    assert moderator.page()["comments"] == []
    first = approve(client, moderator)
    shown = client.get(PAGE)
    assert [comment["id"] for comment in shown.json["comments"]] == [first]
    assert client.get(PAGE, headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    approve(client, moderator, body="It was on time today.")
    assert client.get(PAGE, headers={"If-None-Match": shown.headers["ETag"]}).json["count"] == 2
    moderator.decide(first, "reject")
    publish_all()
    assert moderator.page()["count"] == 1
    assert moderator.page(page=1)["count"] == 1
    assert moderator.page(page=7)["comments"] == []


def test_the_bucket_can_be_served_as_it_is(store: None, client: Client, moderator: Caller) -> None:
    approve(client, moderator)
    for name, kind in {
        storage.newest_name("demo", "/harbour"): "application/json",
        storage.page_name("demo", "/harbour", 1): "application/json",
        storage.feed_name("demo", "/harbour"): "application/atom+xml",
    }.items():
        with urlopen(obstore.sign(storage.store(), "GET", name, timedelta(minutes=1))) as answer:
            assert answer.headers["Content-Type"] == kind
            assert b"The ferry was late again." in answer.read()


def test_storage_that_is_down_is_reported_and_its_pages_are_published_later(
    store: None, client: Client, moderator: Caller, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(client, moderator)
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    forget_store()
    away = client.get(PAGE)
    assert away.status_code == 503
    assert away.headers["Retry-After"]
    parts = client.get("/health/system").json["parts"]
    assert parts["storage"] == "nothing is listening at the storage's address"
    approve(client, moderator, body="It was on time today.")
    with reading() as session:
        assert session.execute(select(Thread.publish_due)).scalar() is not None
    monkeypatch.setenv("AWS_ENDPOINT", s3)
    forget_store()
    assert moderator.page()["count"] == 1
    with time_machine.travel(now() + timedelta(seconds=70)):
        sweep.sweep()
    assert moderator.page()["count"] == 2


def test_a_missing_bucket_is_no_empty_thread(
    store: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_STORAGE_URL", "s3://papre/threads")
    forget_store()
    assert client.get(PAGE).status_code == 503
    assert client.get("/health/system").json["parts"]["storage"] == "there is no such bucket"
