"""Decide many comments in one transaction and undo them together, for the console and the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.identifiers import is_id
from models.judgement.policy import Verdict
from models.judgement.rules import Reason, RuleKey, rule_named
from models.records import Comment, DecisionRecord
from models.settling.actor import Actor
from models.settling.changes import Change, Settled
from models.settling.history import standing_in_batches
from models.settling.settling import settle, tell
from models.settling.site_rules import site_rules
from models.settling.undoing import Refused, undo_each
from models.text.cleaning import clean
from service.comments.submission import NewText
from service.http.problems import Problem, wrong_field
from worker.bell import DELIVER, PUBLISH, ring_soon

MOST_AT_ONCE = 1000
MOST_NOTE = 2000


def _known_form(text: str) -> str:
    if not is_id(text):
        raise ValueError("This is not a valid id.")
    return text


Identifier = Annotated[
    str,
    AfterValidator(_known_form),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uuid",
            "examples": ["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"],
        }
    ),
]


Note = Annotated[
    str,
    StringConstraints(max_length=MOST_NOTE),
    AfterValidator(lambda text: clean(text, MOST_NOTE)),
]


class Judgement(BaseModel):
    """A moderator's verdict on one comment or on many.

    Greenroom's models learn from a decision by a key only with `learn`, or if the key was created
    with it. Send it if a person has read the comment.

    `rule` is the key of one of the site's rules; without it, a rejection uses the rule of its
    `reason`. The author of the comment reads `answer`, for example the answer to an appeal. The
    `note` stays with the moderators.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    verdict: Annotated[Literal["approve", "flag", "reject"], Field(examples=["reject"])]
    reason: Annotated[Reason | None, Field(examples=["spam"])] = None
    rule: Annotated[RuleKey | None, Field(examples=["respect"])] = None
    note: Note = ""
    answer: Note = ""
    learn: bool = False
    whole: Annotated[
        bool,
        Field(
            description=(
                "An author's edit may wait for a decision while the old text is public. The "
                "verdict is about that edit, unless this is true."
            )
        ),
    ] = False

    def change(
        self, comment_id: str, *, by: Actor, version: int | None, batch: str | None = None
    ) -> Change:
        return Change(
            comment_id,
            Verdict(self.verdict),
            by=by,
            reason=self.reason,
            note=self.note,
            rule=self.rule,
            answer=self.answer,
            version=version,
            batch=batch,
            teaches=by.teaches(asked=self.learn),
            whole=self.whole,
        )


class Revision(NewText):
    """A comment's new text, with a note for other moderators. With `version`, it is saved only if
    the comment still has that version.
    """

    note: Note = ""
    version: Annotated[int | None, Field(examples=[1])] = None


class Seen(BaseModel):
    """A comment. With `version`, the decision is saved only if the comment still has that
    version.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    id: Identifier
    version: int | None = None


class Rulings(Judgement):
    """One verdict on many comments. `batch` is a UUID that you choose. You can undo all calls with
    the same `batch` together.
    """

    batch: Identifier | None = None
    items: Annotated[list[Seen], Field(min_length=1, max_length=MOST_AT_ONCE)]

    def versions(self) -> dict[str, int | None]:
        """Return the version by comment; a comment that is named twice counts once."""
        return {seen.id: seen.version for seen in self.items}


class Undoings(BaseModel):
    """The decisions to undo: either a whole `batch` or single `decisions`."""

    model_config = ConfigDict(strict=True, extra="ignore")

    batch: Annotated[
        Identifier | None, Field(examples=["0195511c-7f10-7d3e-8a11-5b1c2e9d4f60"])
    ] = None
    decisions: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = (
        None
    )

    @model_validator(mode="after")
    def _names_one(self) -> Undoings:
        if (self.batch is None) == (self.decisions is None):
            raise ValueError("Send either `batch` or `decisions`.")
        return self


class Outcome(NamedTuple):
    """The settled comments, and those that had changed since the moderator saw them."""

    done: list[Settled]
    refused: list[str]


def check_rule(session: Session, site_ids: Collection[int], rule: str | None) -> None:
    """Raise a 422 if one of these sites has no such rule."""
    if rule is None:
        return
    for site_id in site_ids:
        rules = site_rules(session, site_id)
        if rule_named(rules, rule) is None:
            keys = ", ".join(each.key for each in rules)
            raise wrong_field("rule", f"The site has no such rule. Its rules are: {keys}.")


def decide_each(session: Session, asked: Rulings, *, by: Actor) -> Outcome:
    """Settle every comment that has not changed, in the caller's transaction."""
    versions = asked.versions()
    if asked.rule is not None:
        check_rule(session, set(sites_of(session, list(versions)).values()), asked.rule)
    changes = [
        asked.change(id_, by=by, version=version, batch=asked.batch)
        for id_, version in versions.items()
    ]
    settled = dict(zip(versions, settle(session, changes), strict=True))
    return Outcome(
        [each for each in settled.values() if each],
        [id_ for id_, each in settled.items() if not each],
    )


def take_back_each(
    session: Session, decisions: Mapping[str, str], *, by: Actor
) -> tuple[list[Settled], dict[str, Refused]]:
    """Undo exactly these decisions, named by their comments. A later decision by a colleague stays,
    and is reported.
    """
    came = undo_each(session, dict(decisions), by=by)
    done = [each for each in came.values() if not isinstance(each, Refused)]
    return done, {comment: each for comment, each in came.items() if isinstance(each, Refused)}


def decisions_to_undo(session: Session, asked: Undoings) -> dict[str, str]:
    """Return the decisions by comment; for a batch, its standing ones. Raises a 404 for an unknown
    decision.
    """
    if asked.batch:
        standing = standing_in_batches(session, [asked.batch])
        return {decision.comment_id: decision.id for decision in standing}
    named = asked.decisions or []
    found = dict(
        session.execute(
            select(DecisionRecord.id, DecisionRecord.comment_id).where(DecisionRecord.id.in_(named))
        ).all()
    )
    if missing := [id_ for id_ in named if id_ not in found]:
        raise Problem(404, f"There is no such decision: {missing[0]}.")
    return {found[id_]: id_ for id_ in named}


def sites_of(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Return the site of each of these comments that exists."""
    return dict(
        session.execute(select(Comment.id, Comment.site_id).where(Comment.id.in_(ids))).all()
    )


def check_all_are_of(session: Session, site_id: int, ids: Collection[str]) -> None:
    """Raise a 404 that names every comment which does not exist or belongs to another site."""
    sites = sites_of(session, list(ids))
    message = "There is no such comment on this site."
    if wrong := [f"items.{at}.id" for at, id_ in enumerate(ids) if sites.get(id_) != site_id]:
        raise Problem(
            404, message, errors=[{"field": field, "message": message} for field in wrong[:20]]
        )


def publish_soon(settled: Settled) -> None:
    """Ring for the page and the webhooks of a decision. Call this after the decision is
    committed.
    """
    failpoint("decided")
    tell([settled])
    if settled.touches_page:
        ring_soon(PUBLISH, settled.thread_id)
    for endpoint in settled.owed:
        ring_soon(DELIVER, endpoint)
