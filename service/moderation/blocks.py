"""Block or trust an author, a host or a word, and decide comments that are like one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import new_id
from models.judgement.policy import Policy, Verdict
from models.records import Block, Comment, LinkedHost, Review, Site
from models.records.review import WAITS
from models.settling.actor import Actor
from models.settling.changes import Change, Settled
from models.settling.settling import settle
from models.store.database import now
from models.store.secrets import email_index
from models.text.cleaning import clean_line
from models.text.stamps import utc_stamp
from models.text.urls import is_under, named_host, shown
from service.http.api_types import By, Id, OneOf, Time
from service.http.problems import wrong_field
from service.moderation.deciding import MOST_AT_ONCE
from service.moderation.log import note_act
from service.moderation.queue import of_the_campaign

MOST_LOOKED_THROUGH = 100_000  # how many comments of a campaign are searched for waiting ones
MOST_OTHERS = 200
MOST_READ = 5_000  # waiting comments that are searched for a blocked host or word
MOST_VALUE = 300
SNIPPET = 80
LONGEST_LIKE = 30  # days: later, nobody remembers why the rule was made
STANCES = {"author": ("block", "trust"), "host": ("block", "trust"), "word": ("block",)}
_REASONS = {"author": "spam", "like": "spam", "host": "spam", "word": "other"}
_NOT_REJECTED = ("pending", "flagged", "approved")
LIKE = {"approve": "approve", "flag": "hold", "reject": "reject"}


class ShownBlock(TypedDict):
    """A block, a trusted author, host or word, or a rule for similar comments. `until` is null if
    it does not expire.
    """

    id: Id
    kind: Annotated[str, OneOf(("author", "host", "word", "like"))]
    stance: Annotated[str, OneOf(("block", "trust", "approve", "flag", "reject"))]
    label: Annotated[str, Field(examples=["casino"])]
    comment: Id | None
    by: By
    at: Time
    until: Time | None
    ended_at: Time | None
    ended_by: By | None


class NewBlock(BaseModel):
    """The author, host or word to block or trust. Name an author by `comment`, the id of one of
    their comments, or by `value`, their email address. With `kind` "like", Greenroom applies
    `stance` to new comments that are similar to `comment`. Without `days`, the block does not
    expire. With `others`, Greenroom also decides the waiting comments, as one batch: it rejects
    those that the block stops, or applies the stance to similar ones.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: Annotated[Literal["author", "host", "word", "like"], Field(examples=["word"])]
    stance: Literal["block", "trust", "approve", "flag", "reject"] = "block"
    value: Annotated[str, StringConstraints(max_length=MOST_VALUE), Field(examples=["casino"])] = ""
    comment: str | None = None
    days: Annotated[int | None, Field(ge=1, le=3650, examples=[30])] = None
    others: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> NewBlock:
        if self.stance not in STANCES.get(self.kind, LIKE):
            raise ValueError(
                f"The stance for {self.kind} must be {' or '.join(STANCES.get(self.kind, LIKE))}."
            )
        if self.kind == "like" and (self.days is None or self.days > LONGEST_LIKE):
            raise ValueError(
                f"A rule for similar comments must end after 1 to {LONGEST_LIKE} days."
            )
        return self


def standing(sites: Sequence[int], at: datetime) -> Select[Block]:
    """Return the blocks in force at that time, newest first."""
    lasts = or_(Block.until.is_(None), Block.until > at)
    return (
        select(Block)
        .where(Block.site_id.in_(sites), Block.ended_at.is_(None), lasts)
        .order_by(Block.id.desc())
    )


def make(
    session: Session, site_id: int, new: NewBlock, comment: Comment | None, *, by: Actor
) -> tuple[Block, list[Settled], str | None]:
    """Make a block. Return it, the comments settled with it, and the batch that undoes those
    decisions.
    """
    value, label = _subject(new, comment)
    block = Block(
        site_id=site_id,
        kind=new.kind,
        stance=new.stance,
        value=value,
        label=label,
        comment_id=comment.id if comment else None,
        by=str(by),
        until=now() + timedelta(days=new.days) if new.days else None,
    )
    session.add(block)
    session.flush()
    lasting = f"until {block.until:%d %B %Y}" if block.until else "permanently"
    note_act(session, str(by), "blocks", f"{did(block)} {lasting}", site_id=site_id)
    if not new.others or new.stance == "trust" or (comment is None and new.kind == "author"):
        return block, [], None
    return block, *apply(session, block, by=by)


def apply(session: Session, block: Block, *, by: Actor) -> tuple[list[Settled], str]:
    """Decide the waiting comments that a block or rule is about. Return what was settled, and the
    batch that undoes those decisions.
    """
    batch = new_id()
    verdict = Verdict(block.stance) if block.kind == "like" else Verdict.REJECT
    reason = _REASONS[block.kind] if verdict is Verdict.REJECT else None
    changes = [
        Change(row.id, verdict, by=by, reason=reason, version=row.version, batch=batch)
        for row in covered(session, block)
    ]
    return [each for each in settle(session, changes) if each], batch


def covered(session: Session, block: Block) -> Sequence[Comment]:
    """Return the waiting comments that a block or rule is about, oldest first; none for a trust. If
    a host or word was blocked at a comment, that comment counts as well unless it is rejected.
    """
    if block.stance == "trust":
        return []
    if block.kind in {"author", "like"}:
        comment = session.get(Comment, block.comment_id) if block.comment_id else None
        return session.scalars(others(comment, block.kind)).all() if comment else []
    waiting = select(Review.comment_id).where(Review.site_id == block.site_id, WAITS)
    is_open = Comment.id.in_(waiting.limit(MOST_READ))
    is_its_own = (Comment.id == block.comment_id) & Comment.status.in_(_NOT_REJECTED)
    about = or_(is_open, is_its_own)
    ids = _linking(session, block, about) if block.kind == "host" else _using(session, block, about)
    some = sorted(ids)[:MOST_AT_ONCE]
    return session.scalars(select(Comment).where(Comment.id.in_(some)).order_by(Comment.id)).all()


def _linking(session: Session, block: Block, about: ColumnElement[bool]) -> set[str]:
    """Return the comments that link to the host or to one under it."""
    rows = select(LinkedHost.comment_id, LinkedHost.host).join(
        Comment, Comment.id == LinkedHost.comment_id
    )
    rows = rows.where(Comment.site_id == block.site_id, about)
    return {id_ for id_, host in session.execute(rows) if is_under(host, block.value)}


def _using(session: Session, block: Block, about: ColumnElement[bool]) -> set[str]:
    """Return the comments that use the word. The check for blocks finds it in the same way."""
    from models.judgement.words import uses  # noqa: PLC0415 — RE2, for this one call

    policy = Policy.model_validate(session.get_one(Site, block.site_id).policy)
    word = (block.value.rstrip("*"),)
    rows = select(Comment.id, Comment.body, Comment.name, Comment.website)
    rows = rows.where(Comment.site_id == block.site_id, about)
    return {
        id_
        for id_, body, name, website in session.execute(rows)
        if uses(word, (body, name, website or ""), policy.words)
    }


def others(comment: Comment, kind: str) -> Select[Comment]:
    """Return the comments that the block would also decide: those that wait under the same address,
    or that say nearly the same. The comment itself is one of them while it waits.
    """
    first = comment.campaign or comment.id
    alike = Comment.id.in_(of_the_campaign(first, comment.site_id, most=MOST_LOOKED_THROUGH))
    theirs = (Comment.email_index == comment.email_index) & (Comment.email_index != "")
    waiting = select(Comment.id).join(Review, Review.comment_id == Comment.id).where(WAITS)
    waiting = waiting.where(
        Comment.site_id == comment.site_id, theirs if kind == "author" else alike
    )
    return (
        select(Comment)
        .where(Comment.id.in_(waiting.distinct().limit(MOST_OTHERS)))
        .order_by(Comment.id)
    )


def end(session: Session, block: Block, *, by: str) -> None:
    """End a block and log it. Do nothing if a colleague was first."""
    ended = (
        update(Block)
        .where(Block.id == block.id, Block.ended_at.is_(None))
        .values(ended_at=now(), ended_by=by)
    )
    if session.execute(ended.returning(Block.id)).first() is not None:
        note_act(session, by, "blocks", _undid(block), site_id=block.site_id)


def block_shape(block: Block) -> ShownBlock:
    """Return the block as the API shows it: without an author's address or its hash."""
    return {
        "id": block.id,
        "kind": block.kind,
        "stance": block.stance,
        "label": block.label,
        "comment": block.comment_id,
        "by": block.by,
        "at": utc_stamp(block.at),
        "until": utc_stamp(block.until),
        "ended_at": utc_stamp(block.ended_at),
        "ended_by": block.ended_by,
    }


def did(block: Block) -> str:
    """Return a sentence for the log, without the author's name, because the log is kept forever."""
    if block.kind == "like":
        return f"made a rule to {LIKE[block.stance]} similar comments"
    verb = "blocked" if block.stance == "block" else "trusted"
    return f"{verb} {_what(block)}"


def _undid(block: Block) -> str:
    if block.kind == "like":
        return f"ended the rule to {LIKE[block.stance]} similar comments"
    return f"{'unblocked' if block.stance == 'block' else 'stopped trusting'} {_what(block)}"


def _what(block: Block) -> str:
    return "an author" if block.kind == "author" else f"the {block.kind} “{block.label}”"


def _subject(new: NewBlock, comment: Comment | None) -> tuple[str, str]:
    """Return the value that comments are compared with, and the label that people read."""
    if new.kind == "author":
        return _author(new, comment)
    if new.kind == "like":
        return _like(comment)
    try:
        label = clean_line(new.value, MOST_VALUE).strip().lower()[:200]
    except ValueError as error:
        raise wrong_field("value", str(error)) from None
    # its tables take 5 MB, and few requests need them
    from models.text.folding import fold  # noqa: PLC0415

    value = fold(label)
    if new.kind == "host":
        value = named_host(label.removeprefix("*."))
        label = shown(value)
    if not value or (new.kind == "host" and "." not in value):
        raise wrong_field(
            "value",
            ("Enter a host name, like watches.example.") if new.kind == "host" else "Enter a word.",
        )
    return value, label


def _author(new: NewBlock, comment: Comment | None) -> tuple[str, str]:
    if comment is not None:
        if not comment.email_index:
            raise wrong_field("comment", "This comment was erased, so its author is unknown.")
        return comment.email_index, comment.name
    if "@" not in new.value:
        raise wrong_field(
            "comment",
            ("Send the id of one of the author's comments, or their email address as `value`."),
        )
    return email_index(new.value.strip()), "an author, by email address"


def _like(comment: Comment | None) -> tuple[str, str]:
    if comment is None:
        raise wrong_field("comment", "Send the id of a comment.")
    # its tables take 5 MB, and few requests need them
    from models.text.folding import says_enough  # noqa: PLC0415

    if not says_enough(comment.body):
        raise wrong_field("comment", "This comment is too short to find similar comments.")
    line = " ".join(comment.body.split())
    return comment.id, line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"
