"""The author of a rejected comment reads why, and appeals once; another person decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.locales.languages import languages
from models.locales.words import read_words
from models.records import Appeal, Membership, Moderator, Review, Site, Statement
from models.settling.actor import POLICY, Actor
from models.settling.changes import Change, Screened
from models.settling.erasing import erase
from models.settling.settling import settle
from models.settling.site_rules import default_rules
from models.settling.statements import paragraphs
from models.settling.undoing import Refused, undo
from models.store.database import begin, now, reading
from service.comments.receipts import receipt_of
from tests.caller import Answer, Caller, Client, posted, screen_all
from tests.models.settling.deciding import decide, settle_one, take_back
from worker.screening.screening import screen_now

WHY = "I criticized the timetable, not the staff."


def problem(answer: Answer, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def receipt(client: Client, comment: str) -> Any:
    answer = client.get(f"/v1/receipts/{receipt_of(comment)}")
    assert answer.status_code == 200
    return answer.json


def appeal(client: Client, comment: str, text: str = WHY) -> Answer:
    return client.post(f"/v1/receipts/{receipt_of(comment)}/appeal", json={"text": text})


def person(role: str = "moderator") -> Actor:
    """Return a new member of the team of the site `demo`."""
    id_ = new_id()
    with begin() as session:
        site = session.scalars(select(Site.id).where(Site.key == "demo")).one()
        session.add(Moderator(id=id_, email=f"{id_}@paper.example", password_hash=""))
        session.flush()
        session.add(Membership(moderator_id=id_, site_id=site, role=role))
    return Actor.moderator(id_)


def open_causes(comment: str) -> list[str]:
    wanted = select(Review.cause).where(Review.comment_id == comment, Review.closed_at.is_(None))
    with reading() as session:
        return sorted(session.scalars(wanted))


def test_a_rejection_is_explained_by_the_rule_of_its_reason(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    assert receipt(client, comment)["statement"] is None
    made = moderator.decide(comment, "reject", reason="abuse", answer="Leave out the second half.")
    assert (made.json["rule"], made.json["answer"]) == ("abuse", "Leave out the second half.")
    told = receipt(client, comment)
    statement = told["statement"]
    assert (statement["rule"], statement["title"]) == ("abuse", "No insults, threats or hate")
    assert statement["text"].startswith("Treat others with respect.")
    assert (statement["automated"], statement["ground"]) == (False, "house")
    assert statement["source"] == "own_initiative"
    assert statement["answer"] == "Leave out the second half."
    assert statement["facts"].endswith("No automatic check was involved.")
    assert statement["appeal_until"] > "2026"
    assert told["appeal"] is None


@pytest.mark.parametrize("verdict", ["approve", "flag"])
def test_only_a_rejection_has_a_statement(client: Client, moderator: Caller, verdict: str) -> None:
    comment = posted(client)
    moderator.decide(comment, verdict, reason="abuse")
    assert receipt(client, comment)["statement"] is None
    assert problem(appeal(client, comment), 409)["detail"].startswith("There is nothing to appeal")


def test_spam_is_rejected_without_a_statement(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    assert moderator.decide(comment, "reject", reason="spam").json["rule"] == "spam"
    assert receipt(client, comment)["statement"] is None
    assert problem(appeal(client, comment), 409)["detail"].startswith("There is nothing to appeal")


def test_a_statement_says_if_a_machine_found_or_decided_it(client: Client) -> None:
    held, rejected, spam = (posted(client, body=f"Number {n}") for n in range(3))
    with begin() as session:
        settle(
            session,
            [
                machine(held, Verdict.FLAG, "abuse"),
                machine(rejected, Verdict.REJECT, "words"),
                machine(spam, Verdict.REJECT, "spam"),
            ],
        )
    decide(held, "reject")
    by_both = receipt(client, held)["statement"]
    assert (by_both["automated_detection"], by_both["automated_decision"]) == (True, False)
    by_machine = receipt(client, rejected)["statement"]
    assert (by_machine["automated_detection"], by_machine["automated"]) == (True, True)
    assert by_machine["rule"] == "other"
    assert "No person has read it" in by_machine["facts"]
    assert receipt(client, spam)["statement"] is None


def machine(comment: str, verdict: Verdict, check: str) -> Change:
    return Change(comment, verdict, ("because",), POLICY, Screened(1, (), 1, "en"), checks=[check])


def test_reports_and_notices_are_named_as_the_source(client: Client) -> None:
    for cause, source in (("reported", "report"), ("notice", "notice")):
        comment = posted(client, body=f"A comment with a {cause}")
        decide(comment, "approve", by=POLICY)
        with begin() as session:
            site = session.scalars(select(Site.id).where(Site.key == "demo")).one()
            session.add(Review(site_id=site, comment_id=comment, cause=cause, due_at=now()))
        decide(comment, "reject")
        assert receipt(client, comment)["statement"]["source"] == source


def test_an_unknown_rule_is_refused_and_a_known_one_keeps_its_words(
    client: Client, moderator: Caller
) -> None:
    comment, other = posted(client), posted(client, body="It was on time.")
    detail = problem(moderator.decide(comment, "reject", rule="manners"), 422)["errors"][0]
    assert detail["field"] == "rule"
    assert "spam, abuse, off_topic, other" in detail["message"]
    manners = {"key": "manners", "title": "Mind your manners", "reason": "abuse"}
    change(moderator, [manners])
    made = moderator.decide(comment, "reject", rule="manners")
    assert (made.json["rule"], made.json["reason"]) == ("manners", "abuse")
    assert moderator.decide(other, "reject", reason="abuse").json["rule"] == "manners"
    change(moderator, [{**manners, "title": "Be kind", "ground": "legal"}])
    statement = receipt(client, comment)["statement"]
    assert (statement["title"], statement["ground"]) == ("Mind your manners", "house")
    change(moderator, [])
    rules = moderator.call("GET", "/policy").json["rules"]
    assert [rule["key"] for rule in rules] == ["spam", "abuse", "off_topic", "other"]


def change(moderator: Caller, rules: list[dict[str, str]]) -> None:
    answer = moderator.call("PATCH", "/policy", json={"rules": rules})
    assert answer.status_code == 200, answer.text


def test_an_appeal_is_reviewed_and_an_approval_reverses_the_decision(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="abuse")
    answer = appeal(client, comment)
    assert answer.status_code == 201
    assert (answer.json["status"], answer.json["answer"]) == ("open", None)
    assert receipt(client, comment)["appeal"]["status"] == "open"
    assert open_causes(comment) == ["appealed"]
    assert problem(appeal(client, comment), 409)["detail"].startswith("You have already appealed")
    waiting = moderator.call("GET", "/queue?cause=appealed").json["items"]
    assert [(item["id"], item["appeals"][0]["text"]) for item in waiting] == [(comment, WHY)]
    moderator.decide(comment, "approve", answer="You are right.")
    (kept,) = moderator.record(comment)["appeals"]
    assert (kept["status"], kept["answer"]) == ("reversed", "You are right.")
    told = receipt(client, comment)
    assert (told["status"], told["statement"]) == ("approved", None)
    assert (told["appeal"]["status"], told["appeal"]["answer"]) == ("reversed", "You are right.")
    assert open_causes(comment) == []
    assert problem(appeal(client, comment), 409)


def test_another_rejection_upholds_the_decision_and_is_final(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="abuse")
    appeal(client, comment)
    moderator.decide(comment, "reject", reason="off_topic", answer="It is still off topic.")
    told = receipt(client, comment)
    assert (told["appeal"]["status"], told["appeal"]["answer"]) == (
        "upheld",
        "It is still off topic.",
    )
    assert (told["statement"]["rule"], told["statement"]["appeal_until"]) == ("off_topic", None)
    assert problem(appeal(client, comment), 409)["detail"].startswith("You have already appealed")


def test_a_flag_changes_the_decision(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject")
    appeal(client, comment)
    moderator.decide(comment, "flag")
    assert receipt(client, comment)["appeal"]["status"] == "changed"
    assert open_causes(comment) == ["flagged"]


def test_undoing_the_decision_on_an_appeal_opens_it_again(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="abuse")
    appeal(client, comment)
    for verdict in ("approve", "reject", "flag"):
        moderator.decide(comment, verdict, answer="No.")
        assert moderator.undo(comment).status_code == 201
        told = receipt(client, comment)
        assert (told["status"], told["statement"]["rule"]) == ("rejected", "abuse")
        assert (told["appeal"]["status"], told["appeal"]["answer"]) == ("open", None)
        assert open_causes(comment) == ["appealed"]
    moderator.undo(comment)  # of the rejection itself
    assert receipt(client, comment)["appeal"]["status"] == "changed"
    assert open_causes(comment) == ["flagged"]


def test_people_do_not_decide_appeals_against_their_own_decisions(client: Client) -> None:
    ann, ben = person(), person()
    comment = posted(client)
    decide(comment, "reject", by=ann)
    assert appeal(client, comment).status_code == 201
    assert settle_one(Change(comment, Verdict.APPROVE, by=ann)) is None
    with pytest.raises(Refused, match="against your own decision"), begin() as session:
        undo(session, comment, by=ann)
    decide(comment, "approve", by=ben)
    assert receipt(client, comment)["appeal"]["status"] == "reversed"
    take_back(comment, by=ann)  # that was not her own decision


def test_the_only_moderator_decides_an_appeal_against_their_own_decision(client: Client) -> None:
    ann, _ = person(), person("viewer")
    comment = posted(client)
    decide(comment, "reject", by=ann)
    appeal(client, comment)
    decide(comment, "approve", by=ann)
    assert receipt(client, comment)["appeal"]["status"] == "reversed"


def test_a_new_rejection_after_a_reversal_can_be_appealed(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    for _ in range(2):
        moderator.decide(comment, "reject")
        assert appeal(client, comment).status_code == 201
        moderator.decide(comment, "approve")
    with reading() as session:
        assert len(session.scalars(select(Statement)).all()) == 2


def test_an_appeal_comes_too_late_after_six_months(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    with time_machine.travel(now() + timedelta(days=185), tick=False):
        assert problem(appeal(client, comment), 409)["detail"].startswith("You can no longer")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5001])
def test_an_appeal_needs_words(client: Client, text: str) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert problem(appeal(client, comment, text), 422)["errors"][0]["field"] == "text"
    assert receipt(client, comment)["appeal"] is None


def test_an_unknown_receipt_cannot_appeal(client: Client) -> None:
    answer = client.post("/v1/receipts/abc.def/appeal", json={"text": WHY})
    assert problem(answer, 404)


def test_erasing_a_comment_removes_the_words_of_its_appeal(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", answer="You wrote: the ferry was late.")
    appeal(client, comment)
    with begin() as session:
        erase(session, comment, by=Actor.key(new_id()))
    with reading() as session:
        row = session.scalars(select(Appeal)).one()
        statement = session.scalars(select(Statement)).one()
    assert (row.status, row.text, row.answer) == ("withdrawn", "", "")
    assert (statement.rule, statement.answer) == ("other", "")
    told = receipt(client, comment)
    assert (told["statement"], told["appeal"]) == (None, None)
    assert moderator.record(comment)["decisions"][0]["answer"] == ""


def test_an_author_who_deletes_the_comment_withdraws_the_appeal(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject")
    appeal(client, comment)
    assert client.delete(f"/v1/receipts/{receipt_of(comment)}").status_code == 204
    with reading() as session:
        assert session.scalars(select(Appeal.status)).one() == "withdrawn"
    assert open_causes(comment) == []
    closed = [each for each in moderator.events() if each["type"] == "appeal.closed"]
    assert [each["data"]["appeal"]["status"] for each in closed] == ["withdrawn"]


def test_a_moderators_edit_of_a_rejected_comment_leaves_its_appeal_open(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="abuse")
    appeal(client, comment)
    new = {"body": "The ferry was late.", "note": "Without the insult."}
    assert moderator.call("PATCH", f"/comments/{comment}", json=new).status_code == 200
    told = receipt(client, comment)
    assert (told["appeal"]["status"], told["statement"]["rule"]) == ("open", "abuse")
    moderator.decide(comment, "approve")
    assert receipt(client, comment)["appeal"]["status"] == "reversed"


def test_an_edit_after_a_reversal_leaves_its_answer_in_the_receipt(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject")
    appeal(client, comment)
    moderator.decide(comment, "approve", answer="You are right.")
    place = f"/v1/receipts/{receipt_of(comment)}"
    assert client.patch(place, json={"body": "The ferry was late twice."}).status_code == 200
    screen_now([comment])
    told = receipt(client, comment)
    assert (told["edit"]["status"], told["appeal"]["answer"]) == ("approved", "You are right.")


def test_reporters_were_wrong_if_an_appeal_reverses_the_rejection(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    screen_all()
    told = {"reason": "insult"}
    report = client.post(f"/v1/sites/demo/comments/{comment}/reports", json=told).json["receipt"]
    outcomes = []
    moderator.decide(comment, "reject", reason="abuse")
    outcomes.append(client.get(report).json["status"])
    appeal(client, comment)
    moderator.decide(comment, "approve")
    outcomes.append(client.get(report).json["status"])
    moderator.undo(comment)
    outcomes.append(client.get(report).json["status"])
    moderator.undo(comment)  # of the rejection itself
    outcomes.append(client.get(report).json["status"])
    assert outcomes == ["upheld", "dismissed", "upheld", "open"]


def test_opening_and_closing_are_events_outside_the_sequence(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    screen_all()
    moderator.decide(comment, "reject")
    appeal(client, comment)
    moderator.decide(comment, "approve")
    events = moderator.events()
    assert [event["type"] for event in events] == [
        "comment.approved",
        "comment.rejected",
        "appeal.opened",
        "comment.approved",
        "appeal.closed",
    ]
    assert [event["data"]["sequence"] for event in events] == [1, 2, None, 3, None]
    opened, closed = events[2]["data"]["appeal"], events[4]["data"]["appeal"]
    assert (opened["status"], closed["status"]) == ("open", "reversed")
    assert opened["id"] == closed["id"]
    assert closed["closed_at"]
    assert events[3]["data"]["supersedes"] == events[1]["id"]
    assert WHY not in str(events)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("code", languages())
def test_a_mail_can_hold_the_whole_statement_in_every_language(client: Client, code: str) -> None:
    comment = posted(client)
    decide(comment, "reject", reason="abuse")
    with reading() as session:
        statement = session.scalars(select(Statement)).one()
    words = read_words(code)
    said = paragraphs(statement, words)
    assert said[0] == f"{words.appeal['why']}: No insults, threats or hate"
    assert words.appeal["decided_human"] in said[2]
    assert f"{statement.appeal_until:%Y-%m-%d}" in said[-1]
    rules = default_rules(code)
    assert [rule.reason for rule in rules] == ["spam", "abuse", "off_topic", "other"]


def test_the_author_learns_who_hid_a_published_comment_until_a_moderator_decides(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    decide(comment, "flag")
    assert receipt(client, comment)["hidden"] is None  # it was never published
    decide(comment, "approve")
    assert receipt(client, comment)["hidden"] is None
    decide(comment, "flag")
    hidden = receipt(client, comment)["hidden"]
    assert (hidden["source"], hidden["automated_decision"]) == ("own_initiative", False)
    assert "A moderator hid it." in hidden["facts"]
    assert receipt(client, comment)["statement"] is None
    page = client.get(f"/sites/demo/receipts/{receipt_of(comment)}?lang=de").text
    assert "bis die Moderation entschieden hat" in page
    decide(comment, "reject", reason="abuse")
    assert receipt(client, comment)["hidden"] is None
    assert receipt(client, comment)["statement"]


@pytest.mark.parametrize("by_reports", [True, False])
def test_a_hold_after_reports_names_them_as_its_source(
    client: Client, moderator: Caller, by_reports: bool
) -> None:
    comment = posted(client)
    decide(comment, "approve")
    hold = 1 if by_reports else 9
    assert moderator.call("PATCH", "/policy", json={"reports_to_hold": hold}).status_code == 200
    place = f"/v1/sites/demo/comments/{comment}/reports"
    assert client.post(place, json={"reason": "threat"}).status_code == 202
    if not by_reports:
        decide(comment, "flag")
    hidden = receipt(client, comment)["hidden"]
    assert (hidden["source"], hidden["automated_decision"]) == ("report", by_reports)
    assert ("It was hidden automatically" in hidden["facts"]) == by_reports
