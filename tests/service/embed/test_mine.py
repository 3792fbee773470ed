"""Readers see, edit, download and delete their comments on plain pages, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event, select

from models.records import Report
from models.settings import settings
from models.store.database import engine, reading
from service.comments.receipts import receipt_of
from service.readers import mine
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.service.readers.tokens import new_secret, token

FORM = "application/x-www-form-urlencoded"
NEW = "The ferry was late twice this week."


@pytest.fixture
def mailing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Greenroom can send mail. No test here sends any."""
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:25")
    settings.cache_clear()


def known(**claims: object) -> dict[str, str]:
    """Return the form field of a reader whom the site signs on, with a confirmed address."""
    proven = {"email": "reed@example.org", "email_verified": True}
    return {"identity": token(new_secret(), **(proven | claims))}


def theirs(client: Client, who: dict[str, str]) -> str:
    """Publish a comment of that reader."""
    return published(client, headers={"Greenroom-Identity": who["identity"]})


def choices_link(page: str) -> str | None:
    found = re.search(r'href="(/sites/demo/mail/[\w-]+)', page)
    return found and found[1]


def published(client: Client, **fields: Any) -> str:
    comment = posted(client, **fields)
    screen_all()
    return comment


def page_of(comment: str) -> str:
    return f"/sites/demo/receipts/{receipt_of(comment)}"


def test_the_receipt_page_edits_and_deletes_a_comment(client: Client) -> None:
    comment = published(client)
    page = client.get(page_of(comment)).text
    assert "Save changes" in page
    assert "The ferry was late again." in page
    saved = client.post(page_of(comment), data={"do": "edit", "body": NEW})
    assert (saved.status_code, saved.location) == (303, page_of(comment))
    assert "Your change is being checked." in client.get(page_of(comment)).text

    asked = client.get(f"{page_of(comment)}?change=delete").text
    assert "Replies to it stay." in asked
    assert 'value="delete"' in asked
    assert client.post(page_of(comment), data={"do": "delete"}).status_code == 303
    gone = client.get(page_of(comment)).text
    assert "Your comment was deleted." in gone
    assert "<form" not in gone


def test_a_wrong_edit_shows_the_form_again_with_its_text(client: Client, moderator: Caller) -> None:
    comment = published(client)
    blank = client.post(page_of(comment), data={"body": " "})
    assert (blank.status_code, "Please fill in this field." in blank.text) == (422, True)
    long = client.post(page_of(comment), data={"body": "a" * 10_001})
    assert (long.status_code, "at most 10000 characters" in long.text) == (422, True)
    moderator.call("PATCH", "/policy", json={"edit_minutes": 0})
    late = client.post(page_of(comment), data={"body": NEW})
    assert (late.status_code, NEW in late.text) == (403, True)
    assert "does not let readers edit" in late.text


def test_a_rejected_comment_can_be_sent_again_from_its_receipt(
    client: Client, moderator: Caller
) -> None:
    comment = published(client)
    moderator.decide(comment, "reject")
    page = client.get(page_of(comment)).text
    assert "Edit and send again" in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    again = {**fields, "name": "Ann", "email": "ann@example.org", "body": NEW}
    answer = client.post("/v1/sites/demo/comments", data=again)
    assert answer.status_code == 303
    assert receipt_of(comment) not in answer.location


def test_a_reader_sees_the_comments_of_all_receipts(client: Client) -> None:
    one, two = published(client), published(client, thread="/market", body="Fresh fish.")
    other = published(client, body="Somebody else's.")
    assert "one per line" in client.get("/sites/demo/mine").text
    receipts = f"/v1/receipts/{receipt_of(one)}\n{receipt_of(two)}\nnonsense"
    page = client.post("/sites/demo/mine", data={"receipts": receipts}).text
    assert "The ferry was late again." in page
    assert "Fresh fish." in page
    assert other not in page
    assert page_of(one) in page


def test_a_receipt_may_be_the_address_of_its_page(client: Client) -> None:
    comment = published(client)
    address = f"https://comments.example{page_of(comment)}?lang=de"
    page = client.post("/sites/demo/mine", data={"receipts": address}).text
    assert "The ferry was late again." in page


def test_own_comments_are_downloaded_and_erased(client: Client, moderator: Caller) -> None:
    comment = published(client)
    client.patch(f"/v1/receipts/{receipt_of(comment)}", json={"body": NEW})
    data = {"receipt": receipt_of(comment)}
    export = client.post("/sites/demo/mine", data={**data, "do": "export"})
    assert "attachment" in export.headers["Content-Disposition"]
    assert "ann@example.org" not in export.text
    (own,) = export.json["comments"]
    assert (own["id"], own["name"], own["thread"]) == (comment, "Ann", "/harbour")
    assert [edit["body"] for edit in own["edits"]] == [NEW]
    asked = client.post("/sites/demo/mine", data={**data, "do": "ask"}).text
    assert "Delete all of these comments?" in asked
    erased = client.post("/sites/demo/mine", data={**data, "do": "erase"}).text
    assert "Your comments were deleted." in erased
    assert moderator.record(comment)["status"] == "deleted"
    assert "No comments found." in client.post("/sites/demo/mine", data=data).text


def test_a_long_history_is_shown_in_parts_but_downloaded_and_erased_whole(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mine, "MOST_SHOWN", 2)
    who = known()
    written = [
        published(client, body=f"Day {n}.", headers={"Greenroom-Identity": who["identity"]})
        for n in range(5)
    ]
    page = client.post("/sites/demo/mine", data=who).text
    assert re.findall(r"Day \d", page) == ["Day 4", "Day 3"]
    (before,) = re.findall(r'name="before" value="([^"]+)"', page)
    page = client.post("/sites/demo/mine", data={**who, "before": before}).text
    assert re.findall(r"Day \d", page) == ["Day 2", "Day 1"]
    export = client.post("/sites/demo/mine", data={**who, "do": "export"})
    assert [own["id"] for own in export.json["comments"]] == written[::-1]
    assert export.headers["Cache-Control"] == "no-store"
    left = client.post("/sites/demo/mine", data={**who, "do": "erase"}).text
    assert "Delete all of these comments?" in left
    answer = client.post("/sites/demo/mine", json={**who, "do": "erase"}).json
    assert (answer["erased"], answer["more"]) == ([written[2], written[1]], True)
    assert (
        "Your comments were deleted."
        in client.post("/sites/demo/mine", data={**who, "do": "erase"}).text
    )
    assert {moderator.record(comment)["status"] for comment in written} == {"deleted"}


def test_many_own_comments_cost_as_few_queries_as_some(client: Client, moderator: Caller) -> None:
    def asked(comments: list[str]) -> int:
        statements: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            statements.append(statement)

        event.listen(engine(), "before_cursor_execute", note)
        receipts = [receipt_of(comment) for comment in comments]
        answer = client.post("/sites/demo/mine", json={"receipts": receipts})
        event.remove(engine(), "before_cursor_execute", note)
        assert len(answer.json["comments"]) == len(comments)
        return len(statements)

    comments = [published(client, body=f"The ferry was {n} minutes late.") for n in range(6)]
    for number, comment in enumerate(comments):
        moderator.decide(comment, ("approve", "flag", "reject")[number % 3])
    asked(comments)  # the first one also reads what is cached
    assert asked(comments) == asked(comments[:3])


def test_erasing_a_reader_removes_the_words_of_their_reports(client: Client) -> None:
    comment = published(client)
    identity = {"Greenroom-Identity": token(new_secret())}
    said = {"reason": "privacy", "text": "It names my street."}
    place = f"/v1/sites/demo/comments/{comment}/reports"
    assert client.post(place, json=said, headers=identity).status_code == 202
    erased = client.post("/sites/demo/mine", json={"do": "erase"}, headers=identity)
    assert erased.status_code == 200
    with reading() as session:
        report = session.scalars(select(Report)).one()
    assert (report.text, report.reader_id, report.reason) == ("", None, "privacy")


def test_the_element_gets_own_comments_as_json(client: Client) -> None:
    comment = published(client)
    origin = {"Origin": "http://localhost:8000"}
    asked = {"receipts": [receipt_of(comment)]}
    answer = client.post("/sites/demo/mine", json=asked, headers=origin)
    assert answer.headers["Cache-Control"] == "no-store"
    assert [own["receipt"] for own in answer.json["comments"]] == [
        f"/v1/receipts/{receipt_of(comment)}"
    ]
    erased = client.post("/sites/demo/mine", json={**asked, "do": "erase"})
    assert erased.json == {"erased": [comment], "more": False}


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fa", "fr", "he", "ru"])
def test_own_pages_speak_the_readers_language(
    client: Client, moderator: Caller, language: str
) -> None:
    comment = published(client)
    query = f"?lang={language}"
    for page in (f"{page_of(comment)}{query}", f"/sites/demo/mine{query}"):
        assert client.get(page).status_code == 200
    shown = client.post(f"/sites/demo/mine{query}", data={"receipt": receipt_of(comment)})
    assert receipt_of(comment) in shown.text


def test_a_wrong_identity_is_refused(client: Client) -> None:
    answer = client.post("/sites/demo/mine", data={"identity": "rk_wrong"})
    assert answer.status_code == 401


@pytest.mark.usefixtures("mailing")
def test_a_known_reader_follows_a_thread_on_its_page(client: Client) -> None:
    published(client)
    publish_all()
    who, page = known(), "/sites/demo/thread?thread=/harbour"
    shown = client.post(page, data=who)
    assert "You are writing as \u2068Ann Reed\u2069." in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert 'value="follow"' in shown.text
    following = client.post(page, data={**who, "do": "follow"}).text
    assert 'value="unfollow"' in following
    assert "/harbour" in client.get(choices_link(following) or "").text
    assert 'value="follow"' in client.post(page, data={**who, "do": "unfollow"}).text
    assert 'value="follow"' not in client.post("/sites/demo/thread?thread=/new", data=who).text


@pytest.mark.usefixtures("mailing")
def test_a_known_reader_follows_threads_on_the_page_of_own_comments(client: Client) -> None:
    who = known()
    theirs(client, who)
    shown = client.post("/sites/demo/mine", data=who).text
    assert 'value="follow"' in shown
    assert "Threads that you follow" not in shown
    following = {**who, "thread": "/harbour"}
    shown = client.post("/sites/demo/mine", data={**following, "do": "follow"}).text
    assert "Threads that you follow" in shown
    assert 'value="follow"' not in shown
    assert "/harbour" in client.get(choices_link(shown) or "").text
    shown = client.post("/sites/demo/mine", data={**following, "do": "unfollow"}).text
    assert "Threads that you follow" not in shown
    assert 'value="follow"' in shown


@pytest.mark.usefixtures("mailing")
@pytest.mark.parametrize("place", ["/sites/demo/thread?thread=/harbour", "/sites/demo/mine"])
def test_only_a_reader_with_a_confirmed_address_gets_the_link_to_the_choices(
    client: Client, place: str
) -> None:
    who = known()
    receipt = receipt_of(theirs(client, who))
    publish_all()
    assert choices_link(client.post(place, data=who).text)
    for other in ({"receipt": receipt}, known(sub="8", email_verified=False)):
        page = client.post(place, data={**other, "receipt": receipt})
        assert page.status_code == 200
        assert choices_link(page.text) is None
        assert 'value="follow"' not in page.text


def test_without_a_mail_server_no_thread_can_be_followed(client: Client) -> None:
    who = known()
    theirs(client, who)
    publish_all()
    for place in ("/sites/demo/thread?thread=/harbour", "/sites/demo/mine"):
        page = client.post(place, data=who).text
        assert choices_link(page) is None
        assert 'value="follow"' not in page


def test_the_page_of_a_thread_tells_a_reader_whose_sign_in_has_expired(client: Client) -> None:
    place = "/sites/demo/thread?thread=/harbour&title=Ferries&lang=de"
    answer = client.post(place, data={"identity": "rk_wrong", "do": "follow"})
    assert answer.status_code == 401
    assert "Anmeldung" in answer.text
    assert 'name="email"' in answer.text
    assert "rk_wrong" not in answer.text


def test_too_many_changes_are_refused_in_the_readers_language_and_the_text_stays(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{page_of(published(client))}?lang=de"
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    for _ in range(20):
        assert client.post(place, data={"body": " "}).status_code == 422
    for answer in (
        client.post(place, data={"body": NEW}),
        client.post(place, data={"do": "delete"}),
        client.post("/sites/demo/mine?lang=de", data={}),
    ):
        assert answer.status_code == 429
        assert "Das war zu viel in kurzer Zeit." in answer.text
    assert NEW in client.post(place, data={"body": NEW}).text
