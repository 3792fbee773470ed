"""A site's own settings, by key: its policy, and its threads."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.judgement import promises
from models.judgement.policy import Policy
from models.records import PolicyVersion, Site
from models.store.database import begin, reading
from models.text.cleaning import clean_line, is_blank
from service.api.moderation import body_as
from service.api.public import json_response
from service.comments.submission import MOST_TITLE, NON_BLANK, thread_key
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation.comment_records import when
from service.moderation.news import policy_to_go_back_to
from service.moderation.threads import ThreadChanges, alter_thread, checked_address, thread_of
from service.operations.metrics import CHECKS
from service.sites.replaying import scores_of
from worker.bell import PUBLISH, ring_soon

MOST_VERSIONS = 50

api = Blueprint("sites", __name__)


class PolicyChange(Policy):
    """A policy as it is sent: with `version` it is saved only over the one it was made from.

    `fitted` may stand there as it was read; it is what becomes of `promises`, and not to be set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int | None, Field(ge=1)] = None
    fitted: dict[str, Any] | None = None

    def kept(self) -> dict[str, Any]:
        """The policy alone, as it is stored."""
        return self.model_dump(mode="json", include=set(Policy.model_fields))


@api.get("/v1/sites/<site>/policy")
def policy(site: str) -> Response:
    who = caller(site, "admin")
    with reading() as session:
        return json_response(_policy_of(session, session.get_one(Site, who.site.id)))


@api.put("/v1/sites/<site>/policy")
def change_policy(site: str) -> Response:
    """Replace the policy; what is left out goes back to its default."""
    who = caller(site, "admin")
    wanted = body_as(PolicyChange)
    _check_names(wanted)
    with begin() as session:
        policy = Policy.model_validate(wanted.kept())
        answer = _policy_of(
            session, save_policy(session, site, policy, version=wanted.version, by=who.by)
        )
    return json_response(answer)


class GoingBack(BaseModel):
    """With `version`: only while that is the one in force."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[int, Field(ge=1)] | None = None


@api.post("/v1/sites/<site>/policy/back")
def policy_back(site: str) -> Response:
    """What was in force before becomes a new version; once more brings this one back."""
    who = caller(site, "admin")
    asked = body_as(GoingBack, empty=b"{}")
    with begin() as session:
        row = session.execute(
            select(Site).where(Site.id == who.site.id).with_for_update(key_share=True)
        ).scalar_one()
        policy = policy_to_go_back_to(session, row, asked.version)
        answer = _policy_of(session, save_policy(session, site, policy, version=None, by=who.by))
    return json_response(answer)


@api.get("/v1/sites/<site>/policy/versions")
def policy_versions(site: str) -> Response:
    """Newest first: who saved what when."""
    who = caller(site, "admin")
    wanted = select(PolicyVersion).where(PolicyVersion.site_id == who.site.id)
    with reading() as session:
        rows = session.scalars(
            wanted.order_by(PolicyVersion.version.desc()).limit(MOST_VERSIONS)
        ).all()
    shown = [
        {"version": row.version, "by": row.by, "at": when(row.at), "policy": row.policy}
        for row in rows
    ]
    return json_response({"versions": shown})


def save_policy(
    session: Session, site: str, policy: Policy, *, version: int | None, by: str
) -> Site:
    """The site with this policy as its next version. Raises 422 for words that can't be looked for,
    and 409 where another was saved over the `version` it was made from.
    """
    checked_words(policy)
    kept = policy.model_dump(mode="json")
    row = session.execute(
        select(Site).where(Site.key == site).with_for_update(key_share=True)
    ).scalar_one()
    if version is not None and version != row.policy_version:
        raise Problem(409, f"The policy has version {row.policy_version} by now. Load it again.")
    row.policy, row.policy_version = kept, row.policy_version + 1
    session.add(PolicyVersion(site_id=row.id, version=row.policy_version, policy=kept, by=by))
    return row


def _check_names(policy: Policy) -> None:
    """Raises the 422 that names what is no check: a slip of the pen would else be kept, and mean
    nothing.
    """
    if unknown := sorted(set(policy.could_not_run) - set(CHECKS)):
        message = f"There is no such check. There are: {', '.join(CHECKS)}."
        errors = [{"field": f"could_not_run.{name}", "message": message} for name in unknown]
        raise Problem(422, "Some checks are not known.", errors=errors)


def checked_words(policy: Policy) -> None:
    """Raises the 422 that names the words and patterns that can't be looked for."""
    from models.judgement.words import problems  # noqa: PLC0415 — RE2, for this one call

    if wrong := problems(policy.words):
        raise Problem(
            422,
            "Some words or patterns need another look.",
            errors=[_at_words(text) for text in wrong],
        )


def _policy_of(session: Session, site: Site) -> dict[str, Any]:
    """With the thresholds that come of what it promises, null where those set by hand count."""
    policy = Policy.model_validate(site.policy)
    fitted = promises.fit(policy, scores_of(session, site))
    shown = {"fitted": fitted.told() if fitted else None}
    return {"version": site.policy_version, **policy.model_dump(mode="json"), **shown}


def _at_words(message: str) -> dict[str, str]:
    return {"field": "words", "message": message}


def _cleaned(title: str) -> str:
    if is_blank(kept := clean_line(title, MOST_TITLE)):
        raise ValueError("A title has something to read in it.")
    return kept


Title = Annotated[str, StringConstraints(max_length=MOST_TITLE), AfterValidator(_cleaned)]


class ThreadChange(BaseModel):
    """What may be set on a thread; whatever is left out stays. `moderation` "before": a human reads
    every comment first; `slow_seconds`: so long an author waits between two comments, null not at
    all.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    thread: Annotated[str, WithJsonSchema(NON_BLANK | {"maxLength": 500})]
    state: Literal["open", "closed"] | None = None
    moderation: Literal["before", "after"] | None = None
    slow_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    title: Title | None = None
    url: str | None = None


@api.patch("/v1/sites/<site>/threads")
def change_thread(site: str) -> Response:
    """Close or open a thread, or set its title and page for good. A thread nobody has written in
    yet is made.
    """
    who = caller(site, "moderate")
    wanted = body_as(ThreadChange)
    try:
        key = thread_key(wanted.thread)
    except ValueError as error:
        raise Problem(
            422, str(error), errors=[{"field": "thread", "message": str(error)}]
        ) from None
    changes = _changes(wanted, who.site.origins)
    with begin() as session:
        row = thread_of(session, who.site.id, key)
        alter_thread(session, row, changes, by=who.by)
        session.flush()
        answer = {
            "thread": row.key,
            "url": row.url,
            "title": row.title,
            "state": row.state,
            "count": row.count,
        }
        answer |= {"moderation": row.moderation or "after", "slow_seconds": row.slow_seconds}
    failpoint("thread_changed")
    ring_soon(PUBLISH, row.id)
    return json_response(answer)


def _changes(wanted: ThreadChange, origins: Collection[str]) -> ThreadChanges:
    """A title or an address can be set here, but not taken away."""
    changes: ThreadChanges = {}
    if wanted.state:
        changes["state"] = wanted.state
    if "moderation" in wanted.model_fields_set:
        changes["moderation"] = wanted.moderation or "after"
    if "slow_seconds" in wanted.model_fields_set:
        changes["slow_seconds"] = wanted.slow_seconds
    if wanted.title:
        changes["title"] = wanted.title
    if wanted.url:
        changes["url"] = checked_address(wanted.url, origins)
    return changes
