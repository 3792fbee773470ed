"""A notice of illegal content by someone without an account: from the form to the outcome, by mail
and on the page of the receipt. And a report, from the reader who sends it to its outcome. Nothing
here needs JavaScript.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from models.settings import settings
from models.store.database import now
from tests.caller import Answer, Caller, Client, posted, publish_all, screen_all
from tests.fakes.mail_server import MailServer
from tests.service.signed_in import SignedIn
from worker.mail import sending

EVE = "eve@example.org"


def fill_in(client: Client, path: str, *, by: str = "127.0.0.1", **fields: str) -> str:
    """Load the form, send it like a browser, and return the address of the receipt's page."""
    base = {"REMOTE_ADDR": by}
    page = client.get(path, environ_base=base).text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer: Answer = client.post(path, data={**hidden, **fields}, environ_base=base)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def decide(who: SignedIn, moderator: Caller, comment: str, verdict: str) -> None:
    version = str(moderator.record(comment)["version"])
    path = f"/comments/{comment}/decisions"
    assert who.form(path, verdict=verdict, version=version, reason="abuse").status_code == 303


def test_a_notice_without_an_account_from_the_form_to_the_outcome(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = SignedIn(client)
    comment = posted(client, body="The captain stole the money from the crew.")
    screen_all()
    publish_all()
    with MailServer() as server:
        monkeypatch.setenv("GREENROOM_SMTP_URL", server.url)
        monkeypatch.setenv("GREENROOM_MAIL_FROM", "Paper <mail@paper.example>")
        settings.cache_clear()
        page = fill_in(
            client,
            f"/sites/demo/notice?comment={comment}",
            explanation="It accuses me of a crime. The court acquitted me.",
            category="ILLEGAL_OR_HARMFUL_SPEECH",
            name="Eve Example",
            email=EVE,
            good_faith="1",
        )
        assert "We have received your notice." in client.get(page).text
        sending.send_now()
        assert "We have received your notice." in server.to(EVE)[0].plain

        item = ann.get(f"/?reason=notice&item={comment}")
        assert "It accuses me of a crime." in item
        decide(ann, moderator, comment, "reject")
        publish_all()
        assert "captain" not in client.get("/sites/demo/thread?thread=/harbour").text

        shown = client.get(page).text
        assert "The comment was removed." in shown
        assert "A person decided. No automated means were used." in shown
        assert "out-of-court dispute settlement body" in shown
        with time_machine.travel(now() + timedelta(minutes=6)):
            sending.send_now()
        told = server.to(EVE)[-1].plain
        assert "The comment was removed." in told
        assert page in told
    events = [event["type"] for event in moderator.events()]
    assert events[-3:] == ["notice.opened", "comment.rejected", "notice.closed"]


def test_a_decision_that_is_undone_at_once_is_not_mailed(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = posted(client)
    screen_all()
    with MailServer() as server:
        monkeypatch.setenv("GREENROOM_SMTP_URL", server.url)
        monkeypatch.setenv("GREENROOM_MAIL_FROM", "Paper <mail@paper.example>")
        settings.cache_clear()
        path = f"/sites/demo/notice?comment={comment}"
        fields = {"category": "VIOLENCE", "name": "Eve", "email": EVE, "good_faith": "1"}
        fill_in(client, path, explanation="Look.", **fields)
        moderator.decide(comment, "reject")
        moderator.undo(comment)
        moderator.decide(comment, "approve")
        with time_machine.travel(now() + timedelta(minutes=6)):
            sending.send_now()
        subjects = [mail.plain for mail in server.to(EVE)]
    assert len(subjects) == 2
    assert "The comment stays published." in subjects[-1]


def test_from_three_reports_to_the_outcome_that_each_reporter_learns(
    client: Client, moderator: Caller
) -> None:
    ann = SignedIn(client)
    comment = posted(client, body="The ferry is run by crooks, all of them.")
    screen_all()
    publish_all()
    thread = "/sites/demo/thread?thread=/harbour"
    form = re.search(r'href="(/sites/demo/comments/[^"]+/report)"', client.get(thread).text)
    assert form
    receipts = [
        fill_in(client, form[1], by=f"192.0.2.{number}", reason="insult", text="Unfair.")
        for number in range(3)
    ]
    publish_all()
    assert "crooks" not in client.get(thread).text

    item = ann.get(f"/?reason=reported&item={comment}")
    assert "reported by 3 readers: insult (3)" in item
    assert item.count("Unfair.") == 3
    decide(ann, moderator, comment, "reject")
    for receipt in receipts:
        assert "The comment was removed. Thank you for your report." in client.get(receipt).text
    events = [event["type"] for event in moderator.events()]
    assert events == [
        "comment.approved",
        *["comment.reported"] * 3,
        "comment.flagged",
        "comment.rejected",
    ]
