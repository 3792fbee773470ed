"""API calls for notes and questions between moderators. Readers and webhooks never see them."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Question
from models.store.database import begin, reading
from service.api.comments import wanted_comment
from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Limit100, Query
from service.moderation import notes
from service.moderation.notes import AskedQuestion, WrittenNote

api = Noun("notes", "Notes", "Notes and questions between moderators about a comment.")


class Notes(TypedDict):
    """Notes and questions, oldest first."""

    notes: list[WrittenNote]
    questions: list[AskedQuestion]


@api.call(
    "GET",
    "/v1/sites/<site>/comments/<comment_id>/notes",
    scope="moderate",
    summary="List a comment's notes",
    says="Notes and questions, oldest first.",
)
def list_notes(who: Caller, comment_id: str) -> Notes:
    """List the notes on a comment, on its author and on its thread, and the questions about it."""
    with reading() as session:
        comment = wanted_comment(session, who, comment_id)
        written = [notes.note_shape(note) for note in notes.about(session, comment)]
        asked = [
            notes.question_shape(question) for question in notes.questions_about(session, comment)
        ]
    return {"notes": written, "questions": asked}


@api.call(
    "POST",
    "/v1/sites/<site>/comments/<comment_id>/notes",
    scope="moderate",
    summary="Write a note",
    says="The note.",
    status=201,
)
def write_note(who: Caller, comment_id: str, body: notes.NewNote) -> WrittenNote:
    """Write a note on a comment, on its author or on its thread, for other moderators."""
    with begin() as session:
        comment = wanted_comment(session, who, comment_id)
        return notes.note_shape(notes.write(session, comment, body, by=who.by))


@api.call(
    "POST",
    "/v1/sites/<site>/comments/<comment_id>/questions",
    scope="moderate",
    summary="Ask a colleague",
    says="The question. It stays open until someone answers it.",
    status=201,
)
def ask_question(who: Caller, comment_id: str, body: notes.NewQuestion) -> AskedQuestion:
    """Ask one moderator, or everyone with a given role, about a comment."""
    with begin() as session:
        comment = wanted_comment(session, who, comment_id)
        return notes.question_shape(notes.ask(session, comment, body, by=who.by))


class QuestionsQuery(Query):
    """Which questions."""

    state: Literal["open", "all"] = "open"
    limit: Limit100 = 50


class Questions(TypedDict):
    """Questions, newest first."""

    questions: list[AskedQuestion]


@api.call(
    "GET",
    "/v1/sites/<site>/questions",
    scope="moderate",
    summary="List questions",
    says="Questions, newest first.",
)
def list_questions(who: Caller, query: QuestionsQuery) -> Questions:
    """List the questions of this site that wait for an answer, or all of them."""
    wanted = select(Question).where(Question.site_id == who.site.id)
    wanted = wanted.where(Question.answered_at.is_(None)) if query.state == "open" else wanted
    with reading() as session:
        found = session.scalars(wanted.order_by(Question.id.desc()).limit(query.limit)).all()
    return {"questions": [notes.question_shape(question) for question in found]}


@api.call(
    "POST",
    "/v1/sites/<site>/questions/<question_id>/answer",
    scope="moderate",
    summary="Answer a question",
    says="The question with its answer.",
    answers={409: "Someone has already answered this question."},
)
def answer_question(who: Caller, question_id: str, body: notes.Answer) -> AskedQuestion:
    """Answer a question. The person who asked sees the answer in the console."""
    with begin() as session:
        wanted = select(Question).where(Question.id == question_id, Question.site_id == who.site.id)
        question = session.scalar(wanted.with_for_update()) if is_id(question_id) else None
        if question is None:
            raise Problem(404, "There is no such question on this site.")
        return notes.question_shape(notes.answer(session, question, body, by=who.by))
