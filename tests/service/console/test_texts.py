"""Moderators see what an author changed, and edit or redact a comment."""

from __future__ import annotations

import pytest

from service.comments.receipts import receipt_of
from service.console.texts import MOST_WORDS, Piece, compare
from tests.caller import Caller, Client, posted
from tests.service.signed_in import SignedIn
from worker.screening.screening import screen_now

LINKS = "See https://a.example https://b.example https://c.example https://d.example"


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("The ferry was late.", "The ferry was late.", [("same", "The ferry was late.")]),
        (
            "The ferry was late.",
            "The bus was late.",
            [("same", "The "), ("old", "ferry "), ("new", "bus "), ("same", "was late.")],
        ),
        ("The ferry.", "Buy pills", [("old", "The ferry."), ("new", "Buy pills")]),
        ("Late.", "Late. Again.", [("same", "Late. "), ("new", "Again.")]),
    ],
)
def test_two_texts_are_compared_word_by_word(
    before: str, after: str, pieces: list[tuple[str, str]]
) -> None:
    assert [tuple(piece) for piece in compare(before, after)] == pieces


def test_a_very_long_text_is_not_compared() -> None:
    long = "a " * MOST_WORDS
    assert compare(long, "b") == [Piece("old", long), Piece("new", "b")]


def held_edit(client: Client) -> str:
    comment = posted(client)
    screen_now([comment])
    client.patch(f"/v1/receipts/{receipt_of(comment)}", json={"body": LINKS})
    screen_now([comment])
    return comment


def test_an_edit_in_review_shows_both_texts(client: Client, moderator: Caller) -> None:
    ann, comment = SignedIn(client), held_edit(client)
    page = ann.get(f"/items/{comment}")
    assert "<del>The ferry was late again.</del>" in page
    assert "<ins>See https://a.example" in page
    assert "edited by the author" in page
    version = str(moderator.record(comment)["version"])
    ann.form(f"/comments/{comment}/decisions", verdict="reject", version=version, whole="1")
    assert moderator.record(comment)["status"] == "rejected"


def test_a_moderator_edits_and_restores_a_text(client: Client, moderator: Caller) -> None:
    ann, comment = SignedIn(client), posted(client)
    screen_now([comment])
    said = {"body": "The ferry was […].", "note": "A telephone number."}
    assert ann.form(f"/comments/{comment}/text", **said, version="2").status_code == 303
    page = ann.get(f"/items/{comment}")
    assert "A telephone number." in page
    assert "Restore the earlier text" in page
    assert ann.form(f"/comments/{comment}/text", **said, version="2").status_code == 409
    before = {"body": "The ferry was late again.", "version": "3"}
    assert ann.form(f"/comments/{comment}/text", **before).status_code == 303
    assert moderator.record(comment)["body"] == "The ferry was late again."
