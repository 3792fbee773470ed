"""Notes and questions between moderators."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from models.records import Comment, Moderator, Question
from models.store.database import begin, reading
from service.http.problems import Problem
from service.moderation.notes import (
    Answer,
    NewNote,
    NewQuestion,
    about,
    answer,
    ask,
    note_shape,
    question_shape,
    questions_about,
    write,
)
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, posted

ANN = "moderator:ann"


def note(comment_id: str, kind: str, text: str) -> None:
    with begin() as session:
        new = NewNote.model_validate({"about": kind, "text": text})
        write(session, session.get_one(Comment, comment_id), new, by=ANN)


def texts(comment_id: str) -> list[str]:
    with reading() as session:
        return [found.text for found in about(session, session.get_one(Comment, comment_id))]


def test_a_note_is_read_at_the_comments_that_it_is_about(client: Client) -> None:
    first = posted(client, email="ann@example.org", thread="/a")
    same_author = posted(client, email="ann@example.org", thread="/b", body="Another")
    same_thread = posted(client, email="ben@example.org", thread="/a", body="A third")
    for kind in ("thread", "author", "comment"):
        note(first, kind, f"on the {kind}")
    assert texts(first) == ["on the thread", "on the author", "on the comment"]
    assert texts(same_author) == ["on the author"]
    assert texts(same_thread) == ["on the thread"]


def test_a_notes_shape_hides_what_it_is_kept_by(client: Client) -> None:
    comment = posted(client)
    note(comment, "author", "She runs the ferry.")
    with reading() as session:
        row = session.get_one(Comment, comment)
        shape = note_shape(about(session, row)[0])
        assert row.email_index not in str(shape)
    assert (shape["about"], shape["text"], shape["by"]) == ("author", "She runs the ferry.", ANN)


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u200c", "\u2800"])
def test_a_note_needs_words_that_can_be_seen(text: str) -> None:
    with pytest.raises(ValidationError, match="Write 1 to"):
        NewNote(text=text)


def test_an_erased_comment_has_no_author_to_write_about(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.call("DELETE", f"/comments/{comment}")
    with pytest.raises(Problem) as refused:
        note(comment, "author", "Too late")
    assert refused.value.detail == "This comment was erased, so its author is unknown."
    assert refused.value.errors == [{"field": "about", "message": "The author is unknown."}]


@pytest.mark.parametrize("text", ["", "  ", "x" * 10_000])
def test_a_note_says_something_and_not_too_much(text: str) -> None:
    with pytest.raises(ValidationError):
        NewNote(text=text)


@pytest.mark.parametrize("whom", ["viewer", "moderator", "owner"])
def test_a_question_goes_to_a_role(client: Client, whom: str) -> None:
    comment = posted(client)
    with begin() as session:
        row = session.get_one(Comment, comment)
        ask(session, row, NewQuestion(whom=whom, text="Is it?"), by=ANN)
        (asked,) = questions_about(session, row)
    assert (asked.whom, asked.text, asked.by) == (whom, "Is it?", ANN)


@pytest.mark.parametrize(
    "whom",
    ["nobody", "moderator:", "moderator:x", "moderator:01a222ec-550a-7691-9748-08b0fd17a477"],
)
def test_a_question_to_someone_who_may_not_see_the_comment_is_refused(
    client: Client, whom: str
) -> None:
    comment = posted(client)
    question = NewQuestion(whom=whom, text="Is it?")
    with begin() as session:
        row = session.get_one(Comment, comment)
        with pytest.raises(Problem) as refused:
            ask(session, row, question, by=ANN)
    assert refused.value.errors[0]["field"] == "whom"


def test_only_a_colleague_of_the_same_site_can_be_asked(client: Client) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator("here@paper.example", "demo", "viewer", "correct horse battery")
    accounts.add_moderator("there@paper.example", "other", "owner", "correct horse battery")
    comment = posted(client)
    with begin() as session:
        ids = dict(session.execute(select(Moderator.email, Moderator.id)).all())
        row = session.get_one(Comment, comment)
        here = NewQuestion(whom=f"moderator:{ids['here@paper.example']}", text="Is it?")
        there = NewQuestion(whom=f"moderator:{ids['there@paper.example']}", text="Is it?")
        assert ask(session, row, here, by=ANN).whom == here.whom
        with pytest.raises(Problem, match="can see the comment"):
            ask(session, row, there, by=ANN)


def test_the_first_answer_is_kept(client: Client) -> None:
    comment = posted(client)
    with begin() as session:
        row = session.get_one(Comment, comment)
        asked = ask(session, row, NewQuestion(whom="owner", text="Is it?"), by=ANN)
        assert question_shape(asked)["answered_at"] is None
        answer(session, asked, Answer(text="Yes."), by="moderator:ben")
    with begin() as session:
        late = session.get_one(Question, asked.id)
        with pytest.raises(Problem) as refused:
            answer(session, late, Answer(text="No."), by="moderator:kim")
    assert refused.value.status == 409
    assert refused.value.more["answer"] == "Yes."
    assert refused.value.more["answered_by"] == "moderator:ben"
