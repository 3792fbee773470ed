"""Notes and questions between moderators about a comment, its author or its thread. Readers never
see them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Comment, Membership, Note, Question
from models.store.database import now
from models.text.cleaning import clean, is_blank
from models.text.stamps import utc_stamp
from service.http.api_types import By, Id, OneOf, Time
from service.http.problems import Problem, wrong_field
from service.people.names import MODERATOR, ROLES

MOST = 2000


def _said(text: str) -> str:
    kept = clean(text, MOST)
    if is_blank(kept):
        raise ValueError(f"Write 1 to {MOST:,} characters.")
    return kept


Said = Annotated[
    str,
    StringConstraints(max_length=MOST),
    AfterValidator(_said),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": MOST,
            "pattern": r"\S",
            "examples": ["She runs the ferry company."],
        }
    ),
]


class NewNote(BaseModel):
    """A note on the comment, on its author (by email address) or on its thread."""

    model_config = ConfigDict(strict=True, extra="forbid")

    about: Literal["comment", "author", "thread"] = "comment"
    text: Said


class NewQuestion(BaseModel):
    """A question to everyone with a given role, such as "owner", or to one moderator:
    "moderator:ID", as in the log.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    whom: Annotated[str, StringConstraints(max_length=80), Field(examples=["owner"])]
    text: Said


class WrittenNote(TypedDict):
    """A note that a moderator wrote. Readers never see it."""

    id: Id
    about: Annotated[str, OneOf(("comment", "author", "thread"))]
    text: Annotated[str, Field(examples=["She runs the ferry company."])]
    by: By
    at: Time


class AskedQuestion(TypedDict):
    """A question between moderators. `answer` is null until someone answers."""

    id: Id
    comment: Id
    whom: Annotated[str, Field(examples=["owner"])]
    text: Annotated[str, Field(examples=["Is this satire?"])]
    by: By
    at: Time
    answer: Annotated[str | None, Field(examples=["Yes, approve it."])]
    answered_by: By | None
    answered_at: Time | None


class Answer(BaseModel):
    """The answer to a question."""

    model_config = ConfigDict(strict=True, extra="forbid")

    text: Said


def about(session: Session, comment: Comment) -> Sequence[Note]:
    """Return the notes about this comment, its author and its thread, oldest first."""
    found = [
        select(Note).where(
            Note.site_id == comment.site_id, Note.kind == kind, Note.subject == subject
        )
        for kind, subject in _subjects(comment).items()
        if subject
    ]
    return sorted(
        (note for wanted in found for note in session.scalars(wanted)), key=lambda note: note.id
    )


def write(session: Session, comment: Comment, new: NewNote, *, by: str) -> Note:
    subject = _subjects(comment)[new.about]
    if not subject:
        raise wrong_field(
            "about",
            "The author is unknown.",
            detail="This comment was erased, so its author is unknown.",
        )
    note = Note(site_id=comment.site_id, kind=new.about, subject=subject, text=new.text, by=by)
    session.add(note)
    session.flush()
    return note


def _subjects(comment: Comment) -> dict[str, str]:
    return {"comment": comment.id, "author": comment.email_index, "thread": str(comment.thread_id)}


def questions_about(session: Session, comment: Comment) -> Sequence[Question]:
    return session.scalars(
        select(Question).where(Question.comment_id == comment.id).order_by(Question.id)
    ).all()


def open_questions(session: Session, comment_ids: Collection[str]) -> dict[str, list[Question]]:
    """The questions that no one has answered, by comment. Comments without one are left out."""
    unanswered = select(Question).where(
        Question.comment_id.in_(comment_ids), Question.answered_at.is_(None)
    )
    found: dict[str, list[Question]] = defaultdict(list)
    for question in session.scalars(unanswered.order_by(Question.id)):
        found[question.comment_id].append(question)
    return found


def ask(session: Session, comment: Comment, new: NewQuestion, *, by: str) -> Question:
    """Ask a colleague or a role. The answer appears in the list of the person who asked."""
    if new.whom not in ROLES and not _may_see(session, comment.site_id, new.whom):
        message = "This person has no role on this site. Ask someone who can see the comment."
        raise wrong_field("whom", message)
    question = Question(
        site_id=comment.site_id, comment_id=comment.id, whom=new.whom, text=new.text, by=by
    )
    session.add(question)
    session.flush()
    return question


def _may_see(session: Session, site_id: int, whom: str) -> bool:
    moderator = whom.removeprefix(MODERATOR)
    colleague = select(Membership.moderator_id).where(Membership.site_id == site_id)
    return (
        is_id(moderator)
        and session.scalar(colleague.where(Membership.moderator_id == moderator)) is not None
    )


def answer(session: Session, question: Question, said: Answer, *, by: str) -> Question:
    """Answer a locked question. Raises a 409 if someone has answered already."""
    if question.answered_at:
        raise Problem(
            409, ("Someone has already answered this question."), **question_shape(question)
        )
    question.answer, question.answered_by, question.answered_at = said.text, by, now()
    return question


def note_shape(note: Note) -> WrittenNote:
    """Return the note as the API shows it: without the hash of the author's address."""
    return {
        "id": note.id,
        "about": note.kind,
        "text": note.text,
        "by": note.by,
        "at": utc_stamp(note.at),
    }


def question_shape(question: Question) -> AskedQuestion:
    return {
        "id": question.id,
        "comment": question.comment_id,
        "whom": question.whom,
        "text": question.text,
        "by": question.by,
        "at": utc_stamp(question.at),
        "answer": question.answer,
        "answered_by": question.answered_by,
        "answered_at": utc_stamp(question.answered_at),
    }
