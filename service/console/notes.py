"""Notes and questions between moderators. Readers never see them."""

from __future__ import annotations

from typing import TypeVar

from flask import redirect, request
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.records import Question, Site
from models.store.database import begin
from service.console import item as items
from service.console.blueprint import acting, console, way_back
from service.http.problems import Problem, from_validation
from service.moderation import notes

Shape = TypeVar("Shape", bound=BaseModel)


@console.post("/comments/<comment_id>/notes")
def write(comment_id: str) -> BaseResponse:
    """Write a note on the comment, on its author, or on its thread."""
    who = acting()
    new = from_form(notes.NewNote, "about", "text")
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        notes.write(session, comment, new, by=who.by)
    return redirect(way_back(item=comment_id), 303)


@console.post("/comments/<comment_id>/questions")
def ask(comment_id: str) -> BaseResponse:
    """Ask a colleague, or everyone with a role. The comment is listed under Questions until one of
    them answers.
    """
    who = acting()
    new = from_form(notes.NewQuestion, "whom", "text")
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        notes.ask(session, comment, new, by=who.by)
    return redirect(way_back(item=comment_id), 303)


@console.post("/questions/<question_id>/answer")
def answer(question_id: str) -> BaseResponse:
    who = acting()
    said = from_form(notes.Answer, "text")
    with begin() as session:
        wanted = select(Question, Site.key).join(Site, Site.id == Question.site_id)
        wanted = wanted.where(Question.id == items.known(question_id)).with_for_update(of=Question)
        row = session.execute(wanted).one_or_none()
        if row is None or row[1] not in who.sites:
            raise Problem(404, "There is no such question.")
        items.check_may(who, row[1], "moderator")
        comment_id = notes.answer(session, row[0], said, by=who.by).comment_id
    return redirect(way_back(item=comment_id), 303)


def from_form(shape: type[Shape], *fields: str) -> Shape:
    """Return the form in the shape that the API takes, too. Raises a 422 with an explanation."""
    try:
        return shape.model_validate(
            {name: request.form[name] for name in fields if name in request.form}
        )
    except ValidationError as error:
        problem = from_validation(error)
        raise Problem(
            422, " ".join(each["message"] for each in problem.errors), errors=problem.errors
        ) from None
