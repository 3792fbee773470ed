"""A script with a key can do everything that a moderator can do in the console, and nothing on
another site.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from models.identifiers import new_id
from models.records import Comment
from models.store.database import reading
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def held(client: Client) -> list[str]:
    ids = [
        posted(client, body=f"{n} {LINKS}", email=f"reader{n}@example.org", thread=f"/{n}")
        for n in range(3)
    ]
    screen_all()
    return ids


@pytest.fixture
def other(client: Client) -> Caller:
    """A caller with every right on another site."""
    registering.add_site("other", ["https://other.example"])
    return Elsewhere(client, accounts.create_key("other", "admin"))


class Elsewhere(Caller):
    def call(self, method: str, path: str, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.client.open(f"/v1/sites/other{path}", method=method, headers=headers, **body)


def status_of(*ids: str) -> set[str]:
    with reading() as session:
        return {session.get_one(Comment, id_).status for id_ in ids}


def items(*ids: str, version: int | None = 2) -> list[dict[str, Any]]:
    return [{"id": id_, "version": version} for id_ in ids]


def test_many_are_decided_with_one_call_and_a_batch_is_one_undo(
    moderator: Caller, held: list[str]
) -> None:
    moderator.decide(held[2], "approve")
    answer = moderator.call(
        "POST",
        "/decisions",
        json={"verdict": "reject", "reason": "spam", "items": items(*held, held[0])},
    )
    told: Any = answer.json
    assert [each["id"] for each in told["done"]] == held[:2]
    (refused,) = told["refused"]
    assert (refused["id"], refused["status"], refused["decision"]["verdict"]) == (
        held[2],
        "approved",
        "approve",
    )
    log: Any = moderator.call("GET", "/log?kind=decisions").json
    assert [line["batch"] for line in log["log"][:2]] == [told["batch"]] * 2
    undone: Any = moderator.call("POST", "/decisions/undo", json={"batch": told["batch"]}).json
    assert {each["status"] for each in undone["done"]} == {"flagged"}
    assert (len(undone["done"]), undone["refused"], undone["left"]) == (2, [], 0)
    assert (
        moderator.call("POST", "/decisions/undo", json={"batch": told["batch"]}).status_code == 404
    )


def test_undoing_a_batch_keeps_a_colleagues_later_decisions(
    moderator: Caller, held: list[str]
) -> None:
    told: Any = moderator.call(
        "POST", "/decisions", json={"verdict": "reject", "items": items(*held)}
    ).json
    moderator.decide(held[1], "approve")
    undone: Any = moderator.call("POST", "/decisions/undo", json={"batch": told["batch"]}).json
    assert [each["id"] for each in undone["done"]] == [held[0], held[2]]
    assert "There is a newer decision" in undone["refused"][0]["detail"]
    assert status_of(held[1]) == {"approved"}


def test_a_thousand_are_one_transaction_one_batch_and_one_undo(
    client: Client, moderator: Caller
) -> None:
    ids = _many(1000)
    told: Any = moderator.call(
        "POST", "/decisions", json={"verdict": "approve", "items": items(*ids)}
    ).json
    assert (len(told["done"]), told["refused"]) == (1000, [])
    ann = SignedIn(client)
    undone = ann.call("/undo", batch=told["batch"])
    assert (len(undone["done"]), undone["left"]) == (1000, 0)
    assert status_of(ids[0], ids[500], ids[999]) == {"flagged"}


def test_a_batch_of_a_thousand_is_one_of_the_last_hundred_after_a_reload(
    client: Client,
) -> None:
    ids = _many(1000)
    ann, batch = SignedIn(client), new_id()
    ann.decide(ids[0], verdict="approve")
    for start in range(1, 1000, 333):
        ann.decide(*ids[start : start + 333], verdict="reject", batch=batch)
    recent: Any = ann.client.get("/console/recent").json
    assert [len(each["decisions"]) for each in recent["recent"]] == [999, 1]


def _many(count: int) -> list[str]:
    """Insert waiting comments as rows, because posting so many would take longer than the test
    itself.
    """
    from models.records import Review, Site, Thread
    from models.store.database import begin, now

    ids = [new_id() for _ in range(count)]
    with begin() as session:
        site = session.query(Site.id).filter(Site.key == "demo").scalar()
        thread = Thread(site_id=site, key="/many")
        session.add(thread)
        session.flush()
        about = {
            "site_id": site,
            "thread_id": thread.id,
            "status": "flagged",
            "version": 2,
            "name": "Ann",
            "at": now(),
        }
        session.add_all(
            [
                Comment(id=id_, top_id=id_, body=f"Number {n}", screen_due=None, **about)
                for n, id_ in enumerate(ids)
            ]
        )
        session.flush()
        session.add_all([Review(site_id=site, comment_id=id_, cause="flagged") for id_ in ids])
    return ids


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"verdict": "maybe", "items": [{"id": "x"}]}, "verdict"),
        ({"verdict": "approve", "items": []}, "items"),
        ({"verdict": "approve", "items": [{"id": "x"}]}, "items.0.id"),
        ({"verdict": "approve", "items": [{"version": 2}]}, "items.0.id"),
        ({"verdict": "approve", "batch": "mine", "items": [{"id": "x"}]}, "batch"),
        ({"verdict": "approve", "items": [{"id": "x"}] * 1001}, "items"),
    ],
)
def test_an_error_in_a_batch_names_its_field(
    moderator: Caller, body: dict[str, Any], field: str
) -> None:
    answer: Any = moderator.call("POST", "/decisions", json=body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in {each["field"] for each in answer.json["errors"]}


def test_one_comment_of_another_site_prevents_all_decisions(
    moderator: Caller, other: Caller, held: list[str]
) -> None:
    answer: Any = other.call(
        "POST", "/decisions", json={"verdict": "approve", "items": items(*held)}
    )
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (404, "items.0.id")
    mixed = items(held[0], new_id())
    answer = moderator.call("POST", "/decisions", json={"verdict": "approve", "items": mixed})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (404, "items.1.id")
    assert status_of(*held) == {"flagged"}


def test_notes_and_questions_are_those_of_the_console(
    client: Client, moderator: Caller, held: list[str]
) -> None:
    ann = SignedIn(client)
    ann.form(f"/comments/{held[0]}/notes", about="author", text=f"Known {SCRIPT}")
    made: Any = moderator.call(
        "POST", f"/comments/{held[0]}/notes", json={"about": "thread", "text": "Careful"}
    ).json
    asked: Any = moderator.call(
        "POST", f"/comments/{held[0]}/questions", json={"whom": "owner", "text": "Libel?"}
    ).json
    told: Any = moderator.call("GET", f"/comments/{held[0]}/notes").json
    assert [(note["about"], note["text"]) for note in told["notes"]] == [
        ("author", f"Known {SCRIPT}"),
        ("thread", "Careful"),
    ]
    assert made["by"].startswith("key:")
    assert SCRIPT not in ann.get(f"/items/{held[0]}")
    assert [each["id"] for each in moderator.call("GET", "/questions").json["questions"]] == [
        asked["id"]
    ]
    ann.form(f"/questions/{asked['id']}/answer", text="Let it stand")
    again: Any = moderator.call("POST", f"/questions/{asked['id']}/answer", json={"text": "No"})
    assert (again.status_code, again.json["answer"]) == (409, "Let it stand")
    assert moderator.call("GET", "/questions").json == {"questions": []}


def test_a_block_with_the_others_is_shown_first_and_undone_as_one(
    moderator: Caller, client: Client
) -> None:
    ids = [posted(client, body=f"{n} {LINKS}") for n in range(3)]
    screen_all()
    shown: Any = moderator.call("GET", f"/comments/{ids[0]}/others").json
    assert [each["id"] for each in shown["items"]] == ids
    new = {"kind": "author", "comment": ids[0], "days": 7, "others": True}
    made: Any = moderator.call("POST", "/blocks", json=new).json
    assert (made["label"], len(made["decided"])) == ("Ann", 3)
    assert status_of(*ids) == {"rejected"}
    listed: Any = moderator.call("GET", "/blocks").json
    assert "ann@example.org" not in str(listed)
    undone: Any = moderator.call("POST", "/decisions/undo", json={"batch": made["batch"]}).json
    assert len(undone["done"]) == 3
    ended: Any = moderator.call("POST", f"/blocks/{made['id']}/end").json
    assert moderator.call("POST", f"/blocks/{made['id']}/end").json == ended
    assert moderator.call("GET", "/blocks").json == {"blocks": []}


def test_an_author_is_blocked_by_address_before_they_write(
    moderator: Caller, client: Client
) -> None:
    answer: Any = moderator.call(
        "POST", "/blocks", json={"kind": "author", "value": "Bad@Example.org", "days": 1}
    )
    assert answer.status_code == 201
    assert "xample" not in answer.text
    comment = posted(client, email="bad@example.org")
    screen_all()
    assert status_of(comment) == {"rejected"}


@pytest.mark.parametrize(
    "new",
    [
        {"kind": "colour"},
        {"kind": "word", "stance": "trust", "value": "x"},
        {"kind": "host", "value": "nodot"},
        {"kind": "author"},
        {"kind": "like", "stance": "reject", "days": 1},
        {"kind": "like", "stance": "reject", "comment": "COMMENT"},
        {"kind": "like", "stance": "block", "comment": "COMMENT", "days": 1},
    ],
)
def test_a_block_of_nothing_is_refused_at_its_field(
    moderator: Caller, held: list[str], new: dict[str, Any]
) -> None:
    sent = {name: held[0] if value == "COMMENT" else value for name, value in new.items()}
    answer: Any = moderator.call("POST", "/blocks", json=sent)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_people_are_invited_given_a_role_and_removed(client: Client, moderator: Caller) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse")
    made: Any = moderator.call(
        "POST", "/people", json={"email": "Ben@paper.example", "role": "viewer"}
    )
    assert made.status_code == 201
    client.post(
        f"/console/join/{made.json['link'].rpartition('/')[2]}", data={"password": "correct horse"}
    )
    people: Any = moderator.call("GET", "/people").json
    ids = {each["email"]: each["id"] for each in people["people"]}
    assert people["invited"] == []
    assert (
        moderator.call(
            "PUT", f"/people/{ids['ben@paper.example']}", json={"role": "moderator"}
        ).status_code
        == 200
    )
    assert moderator.call("DELETE", f"/people/{ids['ann@paper.example']}").status_code == 409
    assert moderator.call("DELETE", f"/people/{ids['ben@paper.example']}").status_code == 204
    log: Any = moderator.call("GET", "/log?kind=people").json
    assert "removed ben@paper.example" in [line["what"] for line in log["log"]]


def test_the_log_is_read_page_by_page(moderator: Caller, held: list[str]) -> None:
    for comment in held:
        moderator.decide(comment, "approve")
    first: Any = moderator.call("GET", "/log?kind=decisions&limit=2").json
    cursor = first["next"]
    second: Any = moderator.call("GET", f"/log?kind=decisions&limit=2&cursor={cursor}").json
    seen = [line["comment"] for line in (*first["log"], *second["log"])]
    assert (seen, second["next"]) == (held[::-1], None)
    assert moderator.call("GET", "/log?since=2999-01-01T00:00:00Z").json == {
        "log": [],
        "next": None,
    }
    for wrong in ("cursor=x", "kind=weather", "since=yesterday", "limit=0"):
        assert moderator.call("GET", f"/log?{wrong}").status_code == 422


def test_nothing_of_another_site_is_found(
    moderator: Caller, other: Caller, held: list[str]
) -> None:
    question: Any = moderator.call(
        "POST", f"/comments/{held[0]}/questions", json={"whom": "owner", "text": "?"}
    ).json
    block: Any = moderator.call(
        "POST", "/blocks", json={"kind": "word", "value": "x", "days": 1}
    ).json
    decision: Any = moderator.decide(held[0], "approve").json
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse")
    ann = moderator.call("GET", "/people").json["people"][0]["id"]
    calls: list[Callable[[], TestResponse]] = [
        lambda: other.call("GET", f"/comments/{held[0]}/notes"),
        lambda: other.call("POST", f"/comments/{held[0]}/notes", json={"text": "Mine"}),
        lambda: other.call(
            "POST", f"/comments/{held[0]}/questions", json={"whom": "owner", "text": "?"}
        ),
        lambda: other.call("POST", f"/questions/{question['id']}/answer", json={"text": "Mine"}),
        lambda: other.call("GET", f"/comments/{held[0]}/others"),
        lambda: other.call(
            "POST", "/blocks", json={"kind": "author", "comment": held[0], "days": 1}
        ),
        lambda: other.call("POST", f"/blocks/{block['id']}/end"),
        lambda: other.call("POST", "/decisions/undo", json={"decisions": [decision["id"]]}),
        lambda: other.call("PUT", f"/people/{ann}", json={"role": "viewer"}),
        lambda: other.call("DELETE", f"/people/{ann}"),
    ]
    assert [call().status_code for call in calls] == [404] * len(calls)
    for path in ("/questions", "/blocks", "/log"):
        assert held[0] not in other.call("GET", path).text


def test_a_list_of_the_console_is_read_with_its_filters(
    client: Client, moderator: Caller, held: list[str]
) -> None:
    def listed(query: str) -> list[str]:
        answer: Any = moderator.call("GET", f"/lists/{query}").json
        return [item["id"] for item in answer["items"]]

    assert listed("review") == listed("review?order=due") == held
    assert listed("review?thread=/1") == listed(f"all?author={held[1]}") == [held[1]]
    assert listed("review?check=links&order=newest") == held[::-1]
    assert listed("review?check=words") == listed("approved") == listed("all?q=nothing") == []
    first: Any = moderator.call("GET", "/lists/review?order=due&limit=2").json
    assert listed(f"review?order=due&limit=2&cursor={first['next']}") == [held[2]]
    for wrong in (
        "order=risky",
        "cursor=x",
        "since=yesterday",
        f"author={new_id()}",
        "campaign=x",
        "limit=0",
    ):
        assert moderator.call("GET", f"/lists/review?{wrong}").status_code == 422, wrong
    assert moderator.call("GET", "/lists/mine").status_code == 404


def test_comments_that_a_human_has_read_are_marked_as_seen(
    client: Client, moderator: Caller, other: Caller
) -> None:
    ids = [
        posted(client, body=f"Thank you all very much, number {n}", thread=f"/{n}")
        for n in range(4)
    ]
    screen_all()
    unread: Any = moderator.call("GET", "/lists/unread").json
    assert (len(unread["items"]), unread["coverage"]) == (4, {"seen": 0, "of": 4})
    assert other.call("POST", "/seen", json={"items": ids}).status_code == 404
    told: Any = moderator.call("POST", "/seen", json={"items": ids[:3]}).json
    assert (told["seen"], told["coverage"]) == (ids[:3], {"seen": 3, "of": 4})
    assert [item["id"] for item in moderator.call("GET", "/lists/unread").json["items"]] == [ids[3]]
    told = moderator.call("POST", "/seen", json={"items": ids[:1], "seen": False}).json
    assert (told["seen"], told["coverage"]) == ([], {"seen": 2, "of": 4})


def test_script_in_every_stored_field_runs_on_no_page(client: Client, moderator: Caller) -> None:
    comment = posted(
        client, name=SCRIPT, body=f"{SCRIPT} and a word or two more {LINKS}", title=SCRIPT
    )
    screen_all()
    for call, body in {
        f"/comments/{comment}/notes": {"text": SCRIPT},
        f"/comments/{comment}/questions": {"whom": "viewer", "text": SCRIPT},
        f"/comments/{comment}/decisions": {"verdict": "flag", "note": SCRIPT},
    }.items():
        assert moderator.call("POST", call, json=body).status_code == 201, call
    for block in ({"kind": "word", "value": SCRIPT}, {"kind": "author", "comment": comment}):
        assert moderator.call("POST", "/blocks", json={**block, "days": 1}).status_code == 201
    like = {"kind": "like", "stance": "flag", "comment": comment, "days": 1}
    assert moderator.call("POST", "/blocks", json=like).status_code == 201
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "title": SCRIPT})
    moderator.call("PATCH", "/policy", json={"words": {"held": [SCRIPT]}})
    question = moderator.call("GET", "/questions").json["questions"][0]["id"]
    moderator.call("POST", f"/questions/{question}/answer", json={"text": SCRIPT})
    ann = SignedIn(client)
    ann.decide(comment, verdict="reject", version=2, note=SCRIPT)
    with reading() as session:
        thread = session.get_one(Comment, comment).thread_id
    pages = [
        "/",
        f"/?tab=all&q={comment}",
        f"/?tab=all&q={SCRIPT}",
        f"/?thread={thread}",
        f"/threads/{thread}",
    ]
    pages += [
        f"/items/{comment}",
        "/blocks",
        "/people",
        "/log",
        "/settings",
        f"/?done={comment}",
        "/?author=" + comment,
    ]
    for page in pages:
        assert "<script>alert" not in ann.get(page), page
