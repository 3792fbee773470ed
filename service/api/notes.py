"""Notes and questions between moderators, by key; no reader and no webhook hears of them."""

from __future__ import annotations

from flask import Blueprint, Response, request
from sqlalchemy import select

from models.identifiers import is_id
from models.records import Question
from models.store.database import begin, reading
from service.api.moderation import body_as, number_argument, wanted_comment
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation import notes

api = Blueprint("notes", __name__)


@api.get("/v1/sites/<site>/comments/<comment_id>/notes")
def listed(site: str, comment_id: str) -> Response:
    """What moderators wrote about it, its author and its thread, and asked each other about it."""
    who = caller(site, "moderate")
    with reading() as session:
        comment = wanted_comment(session, who, comment_id)
        written, asked = notes.about(session, comment), notes.questions_about(session, comment)
    shown = {"notes": [notes.note_shape(note) for note in written]}
    return json_response(
        {**shown, "questions": [notes.question_shape(question) for question in asked]}
    )


@api.post("/v1/sites/<site>/comments/<comment_id>/notes")
def write(site: str, comment_id: str) -> Response:
    who = caller(site, "moderate")
    new = body_as(notes.NewNote)
    with begin() as session:
        note = notes.write(session, wanted_comment(session, who, comment_id), new, by=who.by)
        answer = notes.note_shape(note)
    return json_response(answer, 201)


@api.post("/v1/sites/<site>/comments/<comment_id>/questions")
def ask(site: str, comment_id: str) -> Response:
    who = caller(site, "moderate")
    new = body_as(notes.NewQuestion)
    with begin() as session:
        question = notes.ask(session, wanted_comment(session, who, comment_id), new, by=who.by)
        answer = notes.question_shape(question)
    return json_response(answer, 201)


@api.get("/v1/sites/<site>/questions")
def questions(site: str) -> Response:
    """Those that wait for an answer, or all, newest first."""
    who = caller(site, "moderate")
    limit = number_argument("limit", 50, most=100)
    if (state := request.args.get("state", "open")) not in {"open", "all"}:
        raise Problem(
            422,
            "Questions are open, or all.",
            errors=[{"field": "state", "message": "open or all."}],
        )
    wanted = select(Question).where(Question.site_id == who.site.id)
    wanted = wanted.where(Question.answered_at.is_(None)) if state == "open" else wanted
    with reading() as session:
        found = session.scalars(wanted.order_by(Question.id.desc()).limit(limit)).all()
    return json_response({"questions": [notes.question_shape(question) for question in found]})


@api.post("/v1/sites/<site>/questions/<question_id>/answer")
def answer_question(site: str, question_id: str) -> Response:
    who = caller(site, "moderate")
    said = body_as(notes.Answer)
    with begin() as session:
        wanted = select(Question).where(Question.id == question_id, Question.site_id == who.site.id)
        question = session.scalar(wanted.with_for_update()) if is_id(question_id) else None
        if question is None:
            raise Problem(404, "There is no such question on this site.")
        answer = notes.question_shape(notes.answer(session, question, said, by=who.by))
    return json_response(answer)
