"""Every call of the API succeeds once, with content in its answer.

`tests/answers.py` checks each answer against the shape that its call declares.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from models.records import Moderator, Proof
from models.settings import settings
from models.store.database import begin, now, reading
from service.comments.receipts import receipt_of
from service.people import accounts
from tests.answers import calls_of
from tests.caller import COMMENT, Caller, Client, posted, publish_all, screen_all
from tests.fakes.receiver import Receiver
from tests.service.sites.test_model_versions import keep_model

FORM = "application/x-www-form-urlencoded"
LINKS = "https://a.example https://b.example https://c.example https://d.example"


class Journey:
    """Calls by their operation's name, and the names that were called."""

    def __init__(self, client: Client, key: str) -> None:
        self.client, self.calls = client, calls_of(client.application)
        self.by_name = {call.operation: call for call in self.calls.values()}
        self.headers = {"Authorization": f"Bearer {key}"}
        self.done: set[str] = set()

    def __call__(self, operation: str, *, id: str = "", **sent: Any) -> Any:  # noqa: A002
        call = self.by_name[operation]
        path = call.path.format(
            site="demo", id=id, tab=sent.pop("tab", ""), receipt=sent.pop("receipt", "")
        )
        headers = self.headers | sent.pop("headers", {})
        answer = self.client.open(path, method=call.method, headers=headers, **sent)
        assert answer.status_code == call.status, f"{operation}: {answer.text}"
        self.done.add(operation)
        return answer.json if answer.mimetype == "application/json" else answer.text


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


@pytest.fixture
def journey(client: Client, moderator: Caller) -> Journey:
    return Journey(client, moderator.key)


def test_every_call_answers_as_it_declares(
    journey: Journey, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as receiver:
        _webhooks(journey, receiver)
        _readers(journey)
        _mail(journey, monkeypatch)
        _objections(journey)
        held = posted(client, body=LINKS, email="c@example.org", name="Carl")
        screen_all()
        publish_all()
        _moderators(journey, held)
        _lists(journey)
        _site(journey)
        _people(journey)
        _keys(journey)
        _operations(journey)
        _events(journey)
    assert journey.done == set(journey.by_name)


def _webhooks(journey: Journey, receiver: Receiver) -> None:
    made = journey(
        "create_webhook", json={"url": receiver.url, "events": ["comment.flagged"], "ed25519": True}
    )
    assert journey("read_webhook", id=made["id"])["url"] == receiver.url
    assert journey("change_webhook", id=made["id"], json={"rate": 2})["rate"] == 2
    assert journey("rotate_secret", id=made["id"])["old_secrets_until"]
    assert journey("test_webhook", id=made["id"])["state"] == "owed"
    assert journey("check_webhook", id=made["id"])["cases"]
    assert journey("list_deliveries", id=made["id"])["deliveries"]
    again = journey("redeliver_events", id=made["id"], json={"since": "2020-01-01T00:00:00Z"})
    assert again["count"] == 0
    assert journey("list_webhooks")["webhooks"]
    gone = journey("create_webhook", json={"url": receiver.url, "format": "slack"})
    journey("delete_webhook", id=gone["id"])


def _readers(journey: Journey) -> None:
    token = journey("read_form")["token"]
    first = journey("post_comment", json=COMMENT | {"token": token})["id"]
    screen_all()
    journey("decide", id=first, json={"verdict": "approve", "reason": "other", "note": "Fine."})
    posted(journey.client, parent=first, name="Bob", email="bob@example.org", body="It was.")
    screen_all()
    publish_all()
    thread = {"thread": COMMENT["thread"]}
    assert journey("read_thread", query_string=thread)["comments"]
    assert journey("count_comments", query_string=thread)[COMMENT["thread"]]
    assert journey("read_receipt", receipt=receipt_of(first))["status"] == "approved"
    assert journey("list_starter_words")["lists"]
    own = receipt_of(posted(journey.client, email="e@example.org", name="Emil", body="A ferry."))
    assert journey("edit_comment", receipt=own, json={"body": "A late ferry."})["body"]
    journey("delete_comment", receipt=own)


def _mail(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    begun = journey("begin_confirmation", json={"email": "zoe@example.org", "name": "Zoe"})
    with begin() as session:
        session.execute(update(Proof).values(confirmed_at=now()))
    key = journey("fetch_key", json={"confirmation": begun["confirmation"]})["key"]
    thread, headers = {"thread": COMMENT["thread"]}, {"Greenroom-Identity": key}
    assert journey("follow", json=thread | {"following": True}, headers=headers)["following"]
    assert journey("read_following", query_string=thread, headers=headers)["following"]


def _objections(journey: Journey) -> None:
    comment = posted(journey.client, body="A fine day.", email="d@example.org", name="Dora")
    screen_all()
    receipt = journey("report_comment", id=comment, json={"reason": "threat"})["receipt"]
    assert journey("read_report", receipt=receipt.rpartition("/")[2])["status"] == "open"
    notice = {
        "comment": comment,
        "explanation": "It calls for murder.",
        "category": "VIOLENCE",
        "name": "Eve",
        "email": "eve@example.org",
        "good_faith": True,
    }
    given = journey("send_notice", json=notice)
    assert journey("read_notice", receipt=given["receipt"].rpartition("/")[2])["status"] == "open"
    assert journey("list_all_notices")["notices"][0]["name"] == "Eve"
    assert journey("list_queue", query_string={"cause": "notice"})["items"][0]["notices"]
    assert journey("dismiss", id=given["id"], json={"answer": "No."})["outcome"] == "dismissed"


def _moderators(journey: Journey, held: str) -> None:
    assert journey("list_queue")["items"]
    assert journey("list_queue", query_string={"group": "campaign"})["groups"]
    assert journey("ask_for_picks")["waiting"] == 0
    assert journey("list_queue", query_string={"teach": "1"})["items"] == []
    assert journey("read_comment", id=held)["evidence"]
    assert journey("explain_score", id=held)["up"]
    assert journey("revise_comment", id=held, json={"body": "[removed]"})["body"] == "[removed]"
    assert journey("write_note", id=held, json={"text": "Look."})["text"] == "Look."
    question = journey("ask_question", id=held, json={"whom": "owner", "text": "Why?"})
    assert journey("list_questions")["questions"]
    assert journey("answer_question", id=question["id"], json={"text": "So."})["answer"] == "So."
    assert journey("list_notes", id=held)["notes"]
    assert journey("list_others", id=held, query_string={"kind": "author"})["count"]
    journey("mark_seen", json={"items": [held]})
    many = journey("decide_many", json={"verdict": "reject", "items": [{"id": held}]})
    assert many["done"]
    stale = {"verdict": "approve", "items": [{"id": held, "version": 1}]}
    assert journey("decide_many", json=stale)["refused"]
    assert journey("undo_many", json={"batch": many["batch"]})["done"]
    journey("decide", id=held, json={"verdict": "reject", "reason": "spam"})
    assert journey("undo_decision", id=held)["undoes"]
    journey("decide", id=held, json={"verdict": "reject", "rule": "abuse", "answer": "Be kind."})
    text = {"text": "I was kind."}
    assert journey("appeal_decision", receipt=receipt_of(held), json=text)["status"] == "open"
    journey("decide", id=held, json={"verdict": "flag", "answer": "We look again."})
    block = journey(
        "make_block", json={"kind": "author", "comment": held, "others": True, "days": 3}
    )
    assert block["decided"]
    assert journey("list_blocks")["blocks"]
    assert journey("end_block", id=block["id"])["ended_at"]


def _lists(journey: Journey) -> None:
    assert "coverage" in journey("list_comments", tab="unread")
    assert journey("list_comments", tab="all", query_string={"q": "ferry"})["items"]
    changed = journey(
        "change_thread", json={"thread": COMMENT["thread"], "slow_seconds": 60, "title": "Harbour"}
    )
    assert changed["slow_seconds"] == 60
    lines = journey("list_log")["log"]
    assert {"decisions", "settings"} <= {line["kind"] for line in lines}


def _site(journey: Journey) -> None:
    policy = journey("read_policy")
    assert journey("replace_policy", json=policy)["version"] == policy["version"] + 1
    promise = {"promises": {"good_held_back_one_in": 200}}
    assert journey("change_policy", json=promise)["fitted"]["why"]
    assert journey("list_policy_versions")["versions"]
    assert journey("replay_policy", json={"links": {"max_links": 9}})["samples"]
    assert journey("restore_policy")["fitted"] is None
    assert journey("change_policy", json={"quality": {"public": True}})["quality"]["public"]
    assert journey("show_quality")["total"]
    assert journey("show_transparency")["appeals"]["changed"] == 1
    assert journey("show_published_quality")["total"]
    keep_model("site-aaaaaaaaaaaa")
    assert journey("list_models")["models"]
    chosen = journey("choose_model", json={"version": "site-aaaaaaaaaaaa"})
    assert chosen["live"] == "site-aaaaaaaaaaaa"
    assert journey("restore_model")["live"] == "base"
    assert not journey("set_learning", json={"learns": False})["learns"]


def _people(journey: Journey) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse battery")
    accounts.add_moderator("bob@paper.example", "demo", "viewer", "correct horse battery")
    with reading() as session:
        bob = session.query(Moderator.id).filter(Moderator.email == "bob@paper.example").scalar()
    invited = journey("invite_person", json={"email": "new@paper.example", "role": "viewer"})
    assert invited["link"]
    assert journey("change_role", id=bob, json={"role": "moderator"})["role"] == "moderator"
    people = journey("list_people")
    assert people["people"]
    (invitation,) = people["invited"]
    again = journey("resend_invitation", id=invitation["id"])
    assert again["link"] not in ("", invited["link"])
    (invitation,) = journey("list_people")["invited"]
    journey("withdraw_invitation", id=invitation["id"])
    assert journey("list_people")["invited"] == []
    journey("remove_person", id=bob)
    off = {"second_factor_required": False}
    assert journey("read_sign_in") == journey("change_sign_in", json=off) == off


def _keys(journey: Journey) -> None:
    made = journey("create_key", json={"name": "CMS", "scopes": ["moderate"]})
    assert made["key"].startswith("gr_")
    new = journey("rotate_key", id=made["id"])
    journey("revoke_key", id=new["id"])
    states = {key["id"]: key["state"] for key in journey("list_keys")["keys"]}
    assert (states[made["id"]], states[new["id"]]) == ("live", "revoked")


def _operations(journey: Journey) -> None:
    assert journey("check_life")["status"] == "ok"
    assert journey("check_readiness", query_string={"for": "writing"})["parts"]
    assert "greenroom_" in journey("read_metrics")
    answer = journey.client.get("/health/system")  # there are no workers here
    assert answer.status_code == 503
    assert answer.json["failing"]
    journey.done.add("check_system")


def _events(journey: Journey) -> None:
    events = journey("list_events")["events"]
    assert {"comment.approved", "comment.flagged"} <= {event["type"] for event in events}
    assert journey("digest_thread", query_string={"thread": COMMENT["thread"]})["count"]
    journey("erase_comment", id=events[0]["data"]["comment"]["id"])
