"""An author's edit waits for its screening; a moderator's is applied at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.judgement.policy import Verdict
from models.records import Comment, Edit, LinkedHost, Screening
from models.settling.changes import Change
from models.settling.editing import MOST_EDITS, NotEditable, edit_own
from models.settling.settling import settle
from models.store.database import begin, now, reading
from models.store.search import matching
from service.comments.receipts import receipt_of
from service.operations.doctor import examine as doctor
from tests.caller import Answer, Caller, Client, posted, publish_all, screen_all
from worker.screening import examination
from worker.screening.screening import screen_now
from worker.sweep import sweep

OLD, NEW = "The ferry was late again.", "The ferry was late twice this week."
LINKS = "See https://a.example https://b.example https://c.example https://d.example"


def edited(client: Client, comment: str, body: str = NEW) -> Answer:
    return client.patch(f"/v1/receipts/{receipt_of(comment)}", json={"body": body})


def receipt(client: Client, comment: str) -> Any:
    return client.get(f"/v1/receipts/{receipt_of(comment)}").json


def published(client: Client, body: str = OLD, **fields: Any) -> str:
    comment = posted(client, body=body, **fields)
    screen_now([comment])
    assert receipt(client, comment)["status"] == "approved"
    return comment


def shown(moderator: Caller) -> Any:
    publish_all()
    return moderator.page()["comments"][0]


def event_types(moderator: Caller) -> list[str]:
    return [event["type"] for event in moderator.events()]


def open_causes(record: Any) -> list[str]:
    return [review["cause"] for review in record["reviews"] if not review["closed"]]


def found_by(words: str) -> list[str]:
    with reading() as session:
        site = session.scalar(select(Comment.site_id))
        ids = matching(session, words, site or 0)
        assert ids is not None
        return list(session.scalars(ids))


@pytest.fixture(autouse=True)
def _healthy(client: Client) -> Any:
    """Every test leaves rows in which the doctor finds nothing wrong."""
    yield
    publish_all()
    assert doctor().found == []


def test_the_old_text_stays_public_until_the_new_one_is_approved(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    answer = edited(client, comment)
    assert answer.status_code == 200
    assert answer.json["edit"]["status"] == "waiting"
    assert (answer.json["body"], answer.json["edit"]["body"]) == (OLD, NEW)
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"

    screen_now([comment])
    page = shown(moderator)
    assert page["html"] == f"<p>{NEW}</p>"
    assert page["edited_at"]
    assert receipt(client, comment)["edit"]["status"] == "approved"
    assert event_types(moderator) == ["comment.approved", "comment.edited"]
    approved, edit = moderator.events()
    assert edit["data"]["sequence"] == 2
    assert edit["data"]["supersedes"] == approved["id"]
    assert edit["data"]["comment"]["html"] == f"<p>{NEW}</p>"
    assert edit["data"]["comment"]["version"] == 3
    assert found_by("twice") == [comment]
    assert found_by("again") == []
    record = moderator.record(comment)
    assert (record["body"], record["version"]) == (NEW, 3)
    assert [(each["before"], each["body"]) for each in record["edits"]] == [(OLD, NEW)]
    assert record["edits"][0]["by"] == "author"


def test_a_held_edit_is_published_when_a_moderator_approves_it(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"
    record = moderator.record(comment)
    assert (record["status"], record["version"]) == ("approved", 3)
    assert open_causes(record) == ["edited"]
    assert moderator.call("GET", "/lists/review").json["items"][0]["id"] == comment

    assert moderator.decide(comment, "approve", version=2).status_code == 409
    assert moderator.decide(comment, "approve", version=3).status_code == 201
    assert "https://a.example" in shown(moderator)["html"]
    assert event_types(moderator) == ["comment.approved", "comment.edited"]
    assert not [each for each in moderator.record(comment)["reviews"] if not each["closed"]]


def test_rejecting_a_held_edit_drops_only_the_edit(client: Client, moderator: Caller) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    assert moderator.decide(comment, "reject", reason="spam").status_code == 201
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"
    told = receipt(client, comment)
    assert (told["status"], told["reason"]) == ("approved", None)
    assert told["edit"]["status"] == "rejected"
    assert told["edit"]["reason"] == "A moderator rejected your change as advertising."
    assert event_types(moderator) == ["comment.approved"]


def test_the_whole_comment_can_be_rejected_while_its_edit_waits(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, "reject", whole=True)
    assert receipt(client, comment)["status"] == "rejected"
    record = moderator.record(comment)
    assert [each["status"] for each in record["edits"]] == ["rejected"]
    assert open_causes(record) == []
    moderator.undo(comment)
    assert open_causes(moderator.record(comment)) == []
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"


def test_approving_the_whole_comment_leaves_its_edit_in_review(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, "approve", whole=True)
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"
    assert open_causes(moderator.record(comment)) == ["edited"]


def test_the_policy_rejects_an_edit_and_leaves_the_comment(
    client: Client, moderator: Caller
) -> None:
    moderator.call("PATCH", "/policy", json={"words": {"blocked": ["casino"]}})
    comment = published(client)
    edited(client, comment, "The casino is open.")
    screen_now([comment])
    told = receipt(client, comment)
    assert told["status"] == "approved"
    assert told["edit"]["reason"] == "Your change does not follow the rules of this site."


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_about_an_edit_can_be_undone(
    client: Client, moderator: Caller, verdict: str
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, verdict)
    assert moderator.undo(comment).status_code == 201
    page = shown(moderator)
    assert (page["html"], page["edited_at"]) == (f"<p>{OLD}</p>", None)
    record = moderator.record(comment)
    assert (record["body"], record["edits"][0]["status"]) == (OLD, "waiting")
    assert open_causes(record) == ["edited"]
    assert moderator.decide(comment, "approve").status_code == 201
    assert "https://a.example" in shown(moderator)["html"]


def test_an_approved_edit_cannot_be_undone_after_the_text_changed_again(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, "approve")
    edited(client, comment)
    screen_now([comment])
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"
    answer = moderator.undo(comment)
    assert answer.status_code == 409
    assert "changed since" in answer.json["detail"]


def test_a_pending_comment_is_screened_with_its_new_text(client: Client, moderator: Caller) -> None:
    comment = posted(client, body=LINKS)
    assert edited(client, comment).json["status"] == "pending"
    screen_now([comment])
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"
    assert event_types(moderator) == ["comment.approved"]
    record = moderator.record(comment)
    assert [(each["before"], each["status"]) for each in record["edits"]] == [(LINKS, "approved")]


def test_a_held_comment_is_screened_again_with_its_new_text(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client, body=LINKS)
    screen_now([comment])
    assert receipt(client, comment)["status"] == "flagged"
    edited(client, comment, f"{LINKS} and more")
    screen_now([comment])
    assert receipt(client, comment)["status"] == "flagged"
    assert event_types(moderator) == ["comment.flagged", "comment.edited"]
    edited(client, comment)
    screen_now([comment])
    assert receipt(client, comment)["status"] == "approved"
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"


def test_a_comment_that_a_moderator_holds_stays_held_after_an_edit(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    moderator.decide(comment, "flag")
    edited(client, comment)
    screen_now([comment])
    assert receipt(client, comment)["status"] == "flagged"
    assert moderator.record(comment)["body"] == NEW


def test_a_screening_of_the_old_text_decides_nothing_after_an_edit(
    client: Client, moderator: Caller
) -> None:
    """The author edits while the first text is being checked."""
    comment = posted(client, body=OLD)
    with reading() as session:
        row = session.get_one(Comment, comment)
    before = Change(comment, Verdict.APPROVE, version=row.version)
    edited(client, comment, LINKS)
    with begin() as session:
        assert settle(session, [before]) == [None]
    screen_now([comment])
    assert receipt(client, comment)["status"] == "flagged"


def test_two_edits_at_once_leave_the_later_one(client: Client, moderator: Caller) -> None:
    comment = published(client)
    edited(client, comment, "The first change.")
    edited(client, comment, NEW)
    screen_now([comment])
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"
    assert [each["status"] for each in moderator.record(comment)["edits"]] == [
        "replaced",
        "approved",
    ]
    assert edited(client, comment, NEW).json["edit"]["status"] == "approved"  # it changes nothing
    assert len(moderator.record(comment)["edits"]) == 2


def test_a_newer_edit_makes_a_moderator_look_again(client: Client, moderator: Caller) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    version = moderator.record(comment)["version"]
    edited(client, comment, f"{LINKS} and a scam")
    assert moderator.decide(comment, "approve", version=version).status_code == 409
    screen_now([comment])
    version = moderator.record(comment)["version"]
    assert moderator.decide(comment, "reject", version=version).status_code == 201
    assert shown(moderator)["html"] == f"<p>{OLD}</p>"


def test_rejecting_the_comment_while_its_edit_is_screened_drops_the_edit(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment)
    moderator.decide(comment, "reject")
    assert screen_now([comment]) == []
    assert receipt(client, comment)["status"] == "rejected"
    assert moderator.record(comment)["edits"][0]["status"] == "rejected"


def test_approving_a_comment_again_leaves_its_edit_due(client: Client, moderator: Caller) -> None:
    """A moderator confirms the public text while the new one is being checked."""
    comment = published(client)
    edited(client, comment)
    assert moderator.decide(comment, "approve").status_code == 201
    screen_now([comment])
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"


def test_undoing_a_decision_publishes_no_text_that_nobody_has_read(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    moderator.decide(comment, "flag")
    edited(client, comment, LINKS)
    refused = moderator.undo(comment)
    assert (refused.status_code, "changed the text since" in refused.json["detail"]) == (409, True)
    assert receipt(client, comment)["status"] == "flagged"
    screen_now([comment])
    assert moderator.undo(comment).status_code == 201
    assert receipt(client, comment)["status"] == "approved"


def test_deleting_a_comment_erases_its_edits(client: Client, moderator: Caller) -> None:
    comment = published(client)
    edited(client, comment)
    assert client.delete(f"/v1/receipts/{receipt_of(comment)}").status_code == 204
    assert screen_now([comment]) == []  # deleted while it was due for its screening
    told = receipt(client, comment)
    assert (told["status"], told["reason"]) == ("rejected", "Your comment was deleted.")
    assert (told["body"], told["editable_until"], told["edit"]) == ("", None, None)
    with reading() as session:
        edit = session.scalars(select(Edit)).one()
        assert (edit.before, edit.body, edit.status) == ("", "", "rejected")
    assert event_types(moderator) == ["comment.approved", "comment.deleted"]
    assert client.delete(f"/v1/receipts/{receipt_of(comment)}").status_code == 204


@pytest.mark.parametrize("status", ["pending", "approved", "flagged", "rejected"])
def test_authors_delete_their_comment_whatever_its_status(
    client: Client, moderator: Caller, status: str
) -> None:
    comment = posted(client)
    verdict = {"approved": "approve", "flagged": "flag", "rejected": "reject"}.get(status)
    if verdict:
        moderator.decide(comment, verdict)
    assert client.delete(f"/v1/receipts/{receipt_of(comment)}").status_code == 204
    record = moderator.record(comment)
    assert (record["status"], record["body"]) == ("deleted", "")
    assert record["decisions"][-1]["actor"] == {"type": "author", "id": None, "name": "the author"}


def test_replies_to_a_deleted_comment_keep_their_place(client: Client, moderator: Caller) -> None:
    comment = published(client)
    published(client, body="I saw that, too.", parent=comment)
    client.delete(f"/v1/receipts/{receipt_of(comment)}")
    page = shown(moderator)
    assert page["removed"]
    assert page["replies"][0]["html"] == "<p>I saw that, too.</p>"


def age(comment: str, by: timedelta) -> None:
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == comment).values(at=now() - by))


def test_the_window_for_editing_closes(client: Client, moderator: Caller) -> None:
    comment = published(client)
    assert receipt(client, comment)["editable_until"]
    age(comment, timedelta(minutes=16))
    answer = edited(client, comment)
    assert (answer.status_code, answer.json["detail"]) == (
        403,
        "The time for editing this comment is over.",
    )
    assert receipt(client, comment)["editable_until"] is None
    moderator.call("PATCH", "/policy", json={"edit_minutes": 60})
    assert edited(client, comment).status_code == 200


def test_a_site_can_turn_editing_off(client: Client, moderator: Caller) -> None:
    comment = published(client)
    moderator.call("PATCH", "/policy", json={"edit_minutes": 0})
    assert edited(client, comment).status_code == 403
    assert receipt(client, comment)["editable_until"] is None


def test_a_comment_with_a_reply_is_not_edited(client: Client) -> None:
    comment = published(client)
    reply = posted(client, body="I saw that, too.", parent=comment)
    answer = edited(client, comment)
    assert (answer.status_code, answer.json["detail"]) == (
        403,
        "Someone replied to this comment, so it can no longer be edited.",
    )
    client.delete(f"/v1/receipts/{receipt_of(reply)}")
    assert edited(client, comment).status_code == 200


def test_a_reported_comment_is_not_edited(client: Client) -> None:
    comment = published(client)
    report = client.post(f"/v1/sites/demo/comments/{comment}/reports", json={"reason": "spam"})
    assert report.status_code == 202
    answer = edited(client, comment)
    assert (answer.status_code, answer.json["detail"]) == (
        403,
        "This comment was reported, so it can no longer be edited.",
    )


def test_a_rejected_comment_is_sent_again_as_a_new_one(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject")
    assert edited(client, comment).status_code == 403
    assert receipt(client, comment)["body"] == OLD


def test_a_comment_is_edited_only_so_often(client: Client) -> None:
    comment = published(client)
    with begin() as session:
        for number in range(MOST_EDITS):
            edit_own(session, comment, f"Change number {number}")
        with pytest.raises(NotEditable, match="often"):
            edit_own(session, comment, NEW)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"body": " "}, 422), ({}, 422), ({"body": "x" * 10_001}, 422), ({"body": 7}, 422)],
)
def test_a_new_text_is_checked_like_a_first_one(
    client: Client, body: dict[str, Any], status: int
) -> None:
    comment = published(client)
    answer = client.patch(f"/v1/receipts/{receipt_of(comment)}", json=body)
    assert answer.status_code == status
    assert answer.json["errors"][0]["field"] == "body"


def test_a_sweep_finds_an_edit_whose_message_was_lost(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = published(client)
    edited(client, comment)
    monkeypatch.setattr("worker.sweep.ring", lambda *_: False)  # the broker does not answer
    sweep(overdue_seconds=-1)
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"


def test_an_edit_that_a_check_could_not_judge_is_screened_again(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderator.call("PATCH", "/policy", json={"could_not_run": {"links": "wait"}})
    comment = published(client)
    with monkeypatch.context() as patch:
        patch.setitem(examination._ON_THE_TEXT, "links", lambda _: 1 / 0)
        edited(client, comment)
        screen_now([comment])
        assert receipt(client, comment)["edit"]["status"] == "waiting"
    with begin() as session:
        session.execute(update(Comment).values(screen_due=now()))
    screen_now([comment])
    assert receipt(client, comment)["edit"]["status"] == "approved"


def test_a_held_comment_whose_new_text_could_not_be_judged_is_left_to_a_moderator(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderator.call("PATCH", "/policy", json={"could_not_run": {"links": "wait"}})
    comment = published(client)
    moderator.decide(comment, "flag")
    with monkeypatch.context() as patch:
        patch.setitem(examination._ON_THE_TEXT, "links", lambda _: 1 / 0)
        edited(client, comment)
        screen_now([comment])
    assert event_types(moderator)[2:] == ["comment.edited"]
    with begin() as session:
        session.execute(update(Comment).values(screen_due=now()))
    screen_now([comment])
    assert receipt(client, comment)["status"] == "flagged"
    assert event_types(moderator)[2:] == ["comment.edited"]


def test_a_published_edit_replaces_the_evidence_and_a_rejected_one_does_not(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, "reject")
    with reading() as session:
        assert len(session.scalars(select(Screening)).all()) == 1
    edited(client, comment)
    screen_now([comment])
    with reading() as session:
        assert len(session.scalars(select(Screening)).all()) == 2


def test_only_links_that_were_published_speak_for_a_host(client: Client, moderator: Caller) -> None:
    """An author cannot make a host known by links that no moderator let through."""

    def linked() -> list[str]:
        with reading() as session:
            return sorted(session.scalars(select(LinkedHost.host)))

    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.decide(comment, "reject")
    assert linked() == []
    edited(client, comment, "See https://tide.example for the times.")
    screen_now([comment])
    assert receipt(client, comment)["edit"]["status"] == "approved"
    assert linked() == ["tide.example"]

    held = posted(client, body=LINKS, email="zoe@example.org")
    screen_now([held])
    assert len(linked()) == 5
    edited(client, held)
    screen_now([held])
    assert receipt(client, held)["status"] == "approved"
    assert linked() == ["tide.example"]


def test_a_moderator_edits_at_once(client: Client, moderator: Caller) -> None:
    comment = published(client)
    answer = moderator.call(
        "PATCH", f"/comments/{comment}", json={"body": "The ferry was […].", "note": "A name."}
    )
    assert answer.status_code == 200
    assert (answer.json["version"], answer.json["body"]) == (3, "The ferry was […].")
    assert answer.json["edited_at"]
    assert answer.json["edits"][0]["note"] == "A name."
    page = shown(moderator)
    assert page["html"] == "<p>The ferry was […].</p>"
    assert page["edited_at"]
    assert event_types(moderator) == ["comment.approved", "comment.edited"]
    stale = moderator.call("PATCH", f"/comments/{comment}", json={"body": "x", "version": 2})
    assert stale.status_code == 409


@pytest.mark.parametrize("status", ["pending", "flagged", "rejected"])
def test_a_moderator_edits_a_comment_that_is_not_public(
    client: Client, moderator: Caller, status: str
) -> None:
    comment = posted(client)
    verdict = {"flagged": "flag", "rejected": "reject"}.get(status)
    if verdict:
        moderator.decide(comment, verdict)
    answer = moderator.call("PATCH", f"/comments/{comment}", json={"body": NEW})
    assert (answer.json["status"], answer.json["body"]) == (status, NEW)
    screen_all()
    assert moderator.record(comment)["body"] == NEW


def test_a_moderators_edit_drops_the_authors(client: Client, moderator: Caller) -> None:
    comment = published(client)
    edited(client, comment, LINKS)
    screen_now([comment])
    moderator.call("PATCH", f"/comments/{comment}", json={"body": NEW})
    record = moderator.record(comment)
    assert [each["status"] for each in record["edits"]] == ["rejected", "approved"]
    assert not [review for review in record["reviews"] if not review["closed"]]
    assert shown(moderator)["html"] == f"<p>{NEW}</p>"
