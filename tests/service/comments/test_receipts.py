"""A receipt proves itself, and tells the outcome without the rule behind it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from models.identifiers import new_id
from models.records import Comment
from models.store.database import begin, now
from service.comments.receipts import SIGNATURE_BYTES, Receipt, find_receipt, receipt_of
from tests.caller import Caller, Client, posted


def found(comment: str) -> Receipt:
    receipt = find_receipt(receipt_of(comment))
    assert receipt is not None
    return receipt


@pytest.mark.usefixtures("client")
def test_a_receipt_is_the_id_and_a_signature_for_a_url() -> None:
    comment = new_id()
    id_, _, signature = receipt_of(comment).partition(".")
    assert id_ == comment
    assert len(signature) == 22  # 16 bytes in base64url, without padding
    assert SIGNATURE_BYTES == 16
    assert receipt_of(comment) == receipt_of(comment) != receipt_of(new_id())


def test_a_waiting_comment_is_pending(client: Client) -> None:
    comment = posted(client)
    receipt = found(comment)
    assert (receipt.site, receipt.thread) == ("demo", "/harbour")
    assert (receipt.answer["id"], receipt.answer["status"]) == (comment, "pending")
    assert receipt.answer["reason"] is None


@pytest.mark.parametrize("change", ["signature", "id", "no signature", "padding", "letters"])
def test_an_id_that_we_did_not_sign_is_no_receipt(client: Client, change: str) -> None:
    receipt = receipt_of(posted(client))
    id_, _, signature = receipt.partition(".")
    wrong = {
        "signature": f"{id_}.{'A' * len(signature)}",
        "id": f"{posted(client, body='Another')}.{signature}",
        "no signature": id_,
        "padding": f"{receipt}==",
        "letters": f"{receipt}é",  # not ASCII
    }[change]
    assert find_receipt(receipt) is not None
    assert find_receipt(wrong) is None


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("text", ["", ".", "x", "é", "0190.abc"])
def test_a_text_of_another_shape_is_no_receipt(text: str) -> None:
    assert find_receipt(text) is None


@pytest.mark.usefixtures("client")
def test_a_signed_id_of_no_comment_is_no_receipt() -> None:
    assert find_receipt(receipt_of(new_id())) is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("spam", "A moderator rejected your comment as advertising."),
        ("abuse", "A moderator rejected your comment because it breaks the rules of this site."),
        ("off_topic", "A moderator rejected your comment as off topic."),
        (None, "Your comment does not follow the rules of this site."),
    ],
)
def test_a_rejection_gives_a_usable_reason(
    client: Client, moderator: Caller, reason: str | None, words: str
) -> None:
    comment = posted(client)
    given = {"reason": reason} if reason else {}
    assert moderator.decide(comment, "reject", **given).status_code in {200, 201}
    assert found(comment).answer["reason"] == words
    assert found(comment).answer["status"] == "rejected"


def test_the_last_decision_gives_the_reason(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="spam")
    moderator.decide(comment, "approve")
    assert found(comment).answer["reason"] is None
    moderator.decide(comment, "reject", reason="off_topic")
    assert "off topic" in str(found(comment).answer["reason"])


def test_a_held_comment_waits_for_a_moderator(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.decide(comment, "flag")
    words = "A moderator will read your comment before it appears."
    assert (found(comment).answer["status"], found(comment).answer["reason"]) == ("flagged", words)


def test_a_deleted_comment_reads_as_rejected(client: Client) -> None:
    comment = posted(client)
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == comment).values(status="deleted"))
    answer = found(comment).answer
    assert (answer["status"], answer["reason"]) == ("rejected", "Your comment was deleted.")


def test_the_time_is_that_of_settling_or_of_posting(client: Client) -> None:
    comment = posted(client)
    posted_at = found(comment).answer["at"]
    with begin() as session:
        later = now() + timedelta(hours=1)
        session.execute(update(Comment).where(Comment.id == comment).values(settled_at=later))
    assert str(found(comment).answer["at"]) > str(posted_at)
