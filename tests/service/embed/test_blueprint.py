"""The headers of the pages that only one reader may see."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from models.settings import settings
from service.comments.receipts import receipt_of
from tests.caller import Client, posted, publish_all, screen_all
from tests.service.embed.test_objections import NOTICE, send

KEPT_NOWHERE = {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin-when-cross-origin"}


@pytest.fixture
def private_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:9")
    settings.cache_clear()
    comment = posted(client)
    screen_all()
    publish_all()
    form = client.get("/sites/demo/confirm").text
    token = re.findall(r'name="token" value="([^"]+)"', form)[0]
    asking = {"email": "ann@example.org", "token": token}
    moved = [
        send(client, f"/sites/demo/comments/{comment}/report", reason="threat"),
        send(client, f"/sites/demo/notice?comment={comment}", **NOTICE),
        client.post("/sites/demo/confirm", data=asking),
    ]
    yield [
        f"/sites/demo/receipts/{receipt_of(comment)}",
        f"/sites/demo/receipts/{receipt_of(comment)}?change=edit",
        *(answer.headers["Location"] for answer in moved),
    ]
    settings.cache_clear()


def test_no_cache_keeps_a_private_page_and_no_other_site_learns_its_address(
    client: Client, private_pages: list[str]
) -> None:
    for path in private_pages:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert {name: answer.headers[name] for name in KEPT_NOWHERE} == KEPT_NOWHERE, path


def test_an_answer_to_a_form_is_kept_nowhere(client: Client) -> None:
    refused = client.post("/sites/demo/notice", data={"name": "Eve", "email": "eve@example.org"})
    assert refused.headers["Cache-Control"] == "no-store"
