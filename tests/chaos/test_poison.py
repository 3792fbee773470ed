"""A comment that ends its screening process delays no other comment, and goes to a human."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.failpoints import STATUS
from tests.caller import COMMENT
from tests.greenroom import Running, running, until

WAYS = {
    "burn": "used too much CPU time",
    "hold": "used too much CPU time",
    "exit": f"ended with exit status {STATUS}",
    "crash": "crashed (SIGSEGV)",
}
SECONDS = 60.0  # on an idle machine it takes 3: `python -m bench.poison`
ALONE = {"GREENROOM_DNS": "127.0.0.1:1", "GREENROOM_RATE_LIMITS": "off", "GREENROOM_POISON": "1"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up") / "var", like=sqlite_template, **ALONE) as up:
        yield up


@pytest.fixture(scope="module")
def key(up: Running) -> str:
    return up.key()


def call(up: Running, path: str, *, key: str = "", **fields: Any) -> Any:
    body = json.dumps(fields).encode() if fields else None
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    with urllib.request.urlopen(
        urllib.request.Request(up.url + path, body, headers), timeout=10
    ) as answer:
        return json.load(answer)


def post(up: Running, body: str) -> str:
    return str(call(up, "/v1/sites/demo/comments", **COMMENT | {"body": body})["id"])


def settled(up: Running, key: str, comment: str) -> Any:
    def record() -> Any:
        return call(up, f"/v1/sites/demo/comments/{comment}", key=key)

    until(lambda: record()["status"] != "pending", SECONDS)
    return record()


@pytest.mark.parametrize("way", WAYS)
def test_a_poison_comment_and_the_one_behind_it_are_both_settled(
    up: Running, key: str, way: str
) -> None:
    poison, ordinary = (
        post(up, f"poison: {way}"),
        post(up, f"The ferry was late again because of {way}."),
    )
    assert "could not check" not in str(settled(up, key, ordinary)["evidence"])
    found = settled(up, key, poison)
    assert found["status"] == "flagged"
    detail = f"Greenroom could not check this comment: the process that checked it {WAYS[way]} (2 attempts)"
    assert [item["detail"] for item in found["evidence"]] == [detail]
    assert [(review["cause"], review["closed"]) for review in found["reviews"]] == [
        ("flagged", None)
    ]


def test_many_poison_comments_end_one_worker_and_not_up(up: Running, key: str) -> None:
    """`up` gives up after five deaths of a part within a minute."""
    comments = [
        post(up, f"poison: {way} number {number}")
        for number in range(3)
        for way in ("exit", "crash")
    ]
    assert {settled(up, key, comment)["status"] for comment in comments} == {"flagged"}
    assert up.process.poll() is None
    assert up.output.count("worker-screen died") < 5
    assert settled(up, key, post(up, "A comment after all that."))["status"] != "pending"
