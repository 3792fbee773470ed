"""Readers report a comment, so it is held, and a moderator rejects it with a rule. Its author reads why and appeals, and another moderator
publishes it. Nothing here needs JavaScript.
"""

from __future__ import annotations

import re

from werkzeug.test import TestResponse

from service.comments.receipts import receipt_of
from tests.caller import Answer, Caller, Client, posted, publish_all, screen_all
from tests.service.signed_in import SignedIn

WHY = "I criticized the timetable, not the staff."


def test_from_the_report_to_the_reversal(client: Client, moderator: Caller) -> None:
    ann = SignedIn(client, role="owner")
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    reader = client

    comment = posted(reader, body="Whoever wrote this timetable cannot count.")
    screen_all()
    publish_all()
    page = f"/sites/demo/receipts/{receipt_of(comment)}"
    assert "Your comment has been published." in reader.get(page).text

    for number in range(3):
        assert report(reader, comment, number).status_code == 202
    record = moderator.record(comment)
    assert record["status"] == "flagged"
    assert "reported" in [each["cause"] for each in record["reviews"] if not each["closed"]]
    words = {"rule": "abuse", "answer": "Leave out the second half."}
    assert decision(ann, moderator, comment, "reject", **words).status_code == 303
    publish_all()
    assert "cannot count" not in reader.get("/sites/demo/thread?thread=/harbour").text

    shown = reader.get(page).text
    assert "No insults, threats or hate" in shown
    assert "Readers had reported the comment." in shown
    assert "Leave out the second half." in shown
    form = re.search(r'<form method="post" action="([^"]+/appeal)', shown)
    assert form
    assert reader.post(form[1], data={"text": WHY}).status_code == 303
    assert "We have received your appeal." in reader.get(page).text

    assert comment in ben.get("/?tab=review")
    item = ann.get(f"/items/{comment}")
    assert WHY in item
    assert "You rejected this comment yourself." in item
    own = decision(ann, moderator, comment, "approve")
    assert own.status_code == 409
    assert "against your own decision" in own.text
    reversed_ = decision(ben, moderator, comment, "approve", answer="You are right. Sorry.")
    assert reversed_.status_code == 303

    publish_all()
    shown = reader.get(page).text
    assert "A moderator read your appeal and published your comment." in shown
    assert "You are right. Sorry." in shown
    assert "Send appeal" not in shown
    assert "cannot count" in reader.get("/sites/demo/thread?thread=/harbour").text

    events = [event["type"] for event in moderator.events()]
    assert events[-2:] == ["comment.approved", "appeal.closed"]
    figures = moderator.call("GET", "/transparency").json
    assert figures["restrictions"]["by_source"]["report"] == 1
    assert figures["reports"]["dismissed"] == 3  # the reversal showed that they were wrong
    assert figures["appeals"]["reversed"] == 1


def report(client: Client, comment: str, number: int) -> Answer:
    """Report the comment from an address of its own."""
    return client.post(
        f"/v1/sites/demo/comments/{comment}/reports",
        json={"reason": "insult"},
        environ_base={"REMOTE_ADDR": f"203.0.113.{number + 1}"},
    )


def decision(
    person: SignedIn, moderator: Caller, comment: str, verdict: str, **fields: str
) -> TestResponse:
    """Decide on the comment as it is now, by the console's form."""
    version = str(moderator.record(comment)["version"])
    place = f"/comments/{comment}/decisions"
    return person.form(place, verdict=verdict, version=version, **fields)
