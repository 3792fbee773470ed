"""The statement of reasons and the appeal on the receipt's page, without JavaScript."""

from __future__ import annotations

import pytest

from models.settings import settings
from service.comments.receipts import receipt_of
from tests.caller import Answer, Client, posted
from tests.models.settling.deciding import decide


def page(client: Client, comment: str, **query: str) -> Answer:
    return client.get(f"/sites/demo/receipts/{receipt_of(comment)}", query_string=query)


def send(client: Client, comment: str, text: str, **query: str) -> Answer:
    place = f"/sites/demo/receipts/{receipt_of(comment)}/appeal"
    return client.post(place, data={"text": text}, query_string=query)


def test_the_page_says_why_and_takes_one_appeal(client: Client) -> None:
    comment = posted(client)
    assert "Why your comment was rejected" not in page(client, comment).text
    decide(comment, "reject", reason="abuse")
    before = page(client, comment).text
    assert "No insults, threats or hate" in before
    assert "A moderator decided. No automatic check was involved." in before
    assert "Send appeal" in before
    answer = send(client, comment, "I did not insult <b>anyone</b>.", lang="en")
    assert answer.status_code == 303
    after = client.get(answer.headers["Location"]).text
    assert "We have received your appeal." in after
    assert "I did not insult &lt;b&gt;anyone&lt;/b&gt;." in after
    assert "Send appeal" not in after
    decide(comment, "approve")
    assert "published your comment" in page(client, comment).text


@pytest.mark.parametrize(
    ("text", "message"), [(" ", "Write why you disagree"), ("x" * 5001, "Use at most 5000")]
)
def test_a_wrong_appeal_is_shown_again_with_its_text(
    client: Client, text: str, message: str
) -> None:
    comment = posted(client)
    decide(comment, "reject")
    answer = send(client, comment, text)
    assert answer.status_code == 422
    assert message in answer.text
    assert text.strip() in answer.text


def test_an_appeal_by_form_is_cleaned_like_any_text(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert send(client, comment, "I did\0 not\r\n\u202einsult anyone.").status_code == 303
    told = client.get(f"/v1/receipts/{receipt_of(comment)}").json
    assert told
    assert told["appeal"]["text"] == "I did not\ninsult anyone."


def test_a_second_appeal_is_refused_in_the_language_of_the_page(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert send(client, comment, "Warum?", lang="de").status_code == 303
    answer = send(client, comment, "Warum?", lang="de")
    assert answer.status_code == 409
    assert "bereits Einspruch eingelegt" in answer.text


def test_too_many_appeals_are_refused_in_the_readers_language_and_the_text_stays(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = posted(client)
    decide(comment, "reject")
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    assert [send(client, comment, " ").status_code for _ in range(10)] == [422] * 10
    answer = send(client, comment, "Das war keine Werbung.", lang="de")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Das war zu viel in kurzer Zeit." in answer.text
    assert "Das war keine Werbung." in answer.text


def test_the_receipt_of_another_site_or_of_nobody_is_not_found(client: Client) -> None:
    comment = posted(client)
    place = f"/receipts/{receipt_of(comment)}/appeal"
    assert client.post(f"/sites/other{place}", data={"text": "Why?"}).status_code == 404
    assert client.post("/sites/demo/receipts/x.y/appeal", data={"text": "Why?"}).status_code == 404
