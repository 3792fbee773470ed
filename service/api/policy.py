"""API calls for a site's policy: reading it, replacing it, changing parts, going back, trying a
draft.
"""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from typing_extensions import TypedDict

from models.abuse import lists
from models.judgement.policy import Policy
from models.records import PolicyVersion, Site
from models.store.database import begin, reading
from models.text.stamps import utc_stamp
from service.http.api_keys import Caller
from service.http.api_types import By, Time
from service.http.calls import Noun
from service.http.problems import Problem, wrong_field
from service.http.requests import JSON, MERGE_PATCH
from service.moderation.news import policy_to_go_back_to
from service.sites.policies import (
    PolicyChange,
    PolicyInForce,
    PolicyPatch,
    change_parts,
    check_names,
    checked_words,
    in_force,
    locked_site,
    save_policy,
)
from service.sites.replaying import Replay, replay

MOST_VERSIONS, MOST_REPLAYED = 50, 2000

api = Noun("policy", "Policy", "The moderation policy of a site.")


class StarterList(TypedDict):
    """Words of one category in one language (ISO 639-1), as `words.held` takes them."""

    name: Annotated[str, Field(examples=["threats-en"])]
    category: lists.Category
    language: Annotated[str, Field(examples=["en"])]
    words: list[str]


class StarterLists(TypedDict):
    """All starter lists, by language and category."""

    lists: list[StarterList]


@api.call(
    "GET",
    "/v1/wordlists",
    summary="List the starter word lists",
    says="All lists.",
)
def list_starter_words() -> StarterLists:
    """Short lists of swear words, insults, slurs and threats. No site uses them until its owner
    adds their words to `words.held` of the policy, where each can be changed or removed.
    """
    return {
        "lists": [
            {
                "name": each.name,
                "category": each.category,
                "language": each.language,
                "words": list(each.words),
            }
            for each in lists.word_lists()
        ]
    }


@api.call(
    "GET",
    "/v1/sites/<site>/policy",
    scope="admin",
    summary="Read the policy",
    says="The current policy.",
)
def read_policy(who: Caller) -> PolicyInForce:
    """Read the site's policy. `fitted` has the thresholds that meet its `promises`, the decisions
    that they are based on, and, if rejection by score is off, the reason. It is null while the
    manual thresholds apply.
    """
    with reading() as session:
        return in_force(session, session.get_one(Site, who.site.id))


@api.call(
    "PUT",
    "/v1/sites/<site>/policy",
    scope="admin",
    summary="Replace the policy",
    says="The saved policy.",
    answers={409: "The policy has changed since this version. Read it again."},
)
def replace_policy(who: Caller, body: PolicyChange) -> PolicyInForce:
    """Replace the whole policy. A missing part is reset to its default; to leave parts out you must
    send the `version` that you read. To change only some parts, use PATCH.
    """
    check_names(body)
    _check_is_meant(body)
    with begin() as session:
        saved = save_policy(session, who.site.key, body.policy(), version=body.version, by=who.by)
        return in_force(session, saved)


def _check_is_meant(sent: PolicyChange) -> None:
    """Refuse a nearly empty body, which would reset the policy, unless it names the version to
    replace.
    """
    if not sent.model_fields_set:
        raise Problem(422, "Send the whole policy. To change only some parts, use PATCH.")
    missing = [name for name in Policy.model_fields if name not in sent.model_fields_set]
    if missing and sent.version is None:
        raise wrong_field(
            "version",
            "These parts are missing and would be reset to their defaults: "
            f"{', '.join(missing)}. To reset them, send the `version` that you read. To change "
            "only some parts, use PATCH.",
        )


@api.call(
    "PATCH",
    "/v1/sites/<site>/policy",
    scope="admin",
    summary="Change parts of the policy",
    says="The whole policy after the change.",
    answers={409: "The policy has changed since this version. Read it again."},
    body=PolicyPatch,
    body_types=(MERGE_PATCH, JSON),
)
def change_policy(who: Caller, body: BaseModel) -> PolicyInForce:
    """Change some parts of the policy and keep the others (JSON merge patch, RFC 7396). Null resets
    a part to its default. A list replaces the whole old list. With `version`, Greenroom saves the
    change only if that version is current. You may also send application/json.
    """
    patch = body.model_dump(mode="json", exclude_unset=True)
    if not patch:
        raise Problem(422, 'Send the parts to change, for example {"links": {"max_links": 3}}.')
    with begin() as session:
        return in_force(session, change_parts(session, who.site.key, patch, by=who.by))


class GoingBack(BaseModel):
    """With `version`, Greenroom goes back only if that version is current."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[int, Field(ge=1, examples=[3])] | None = None


@api.call(
    "POST",
    "/v1/sites/<site>/policy/back",
    scope="admin",
    summary="Go back to the previous policy",
    says="The restored policy as a new version.",
    answers={409: "The policy has changed since this version, or there is no earlier policy."},
    body_may_be_missing=True,
)
def restore_policy(who: Caller, body: GoingBack) -> PolicyInForce:
    """Save the previous policy as a new version. A second call brings back the policy that was
    current before the first.
    """
    with begin() as session:
        row = locked_site(session, who.site.key)
        policy = policy_to_go_back_to(session, row, body.version)
        saved = save_policy(session, who.site.key, policy, version=None, by=who.by)
        return in_force(session, saved)


class SavedPolicy(TypedDict):
    """A version of the policy, who saved it and when."""

    version: Annotated[int, Field(examples=[3])]
    by: By
    at: Time
    policy: Policy


class PolicyVersions(TypedDict):
    """Versions, newest first."""

    versions: list[SavedPolicy]


@api.call(
    "GET",
    "/v1/sites/<site>/policy/versions",
    scope="admin",
    summary="List policy versions",
    says="Versions, newest first.",
)
def list_policy_versions(who: Caller) -> PolicyVersions:
    """List all versions of the site's policy, with who saved each one and when."""
    wanted = select(PolicyVersion).where(PolicyVersion.site_id == who.site.id)
    newest_first = wanted.order_by(PolicyVersion.version.desc()).limit(MOST_VERSIONS)
    with reading() as session:
        rows = session.scalars(newest_first).all()
    return {
        "versions": [
            {
                "version": row.version,
                "by": row.by,
                "at": utc_stamp(row.at),
                "policy": cast(Policy, row.policy),  # as it was saved, perhaps by an older release
            }
            for row in rows
        ]
    }


class Draft(PolicyChange):
    """A draft policy to try on the `last` decided comments."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"links": {"max_links": 3}, "last": 500}]}
    )

    last: Annotated[int, Field(ge=1, le=MOST_REPLAYED)] = 500


@api.call(
    "POST",
    "/v1/sites/<site>/policy/replay",
    scope="admin",
    summary="Try a policy",
    says="Counts, samples, and the human decisions that the draft would contradict.",
)
def replay_policy(who: Caller, body: Draft) -> Replay:
    """Try a draft policy on comments that are already decided, before you save it. This changes
    nothing.
    """
    checked_words(body)
    with reading() as session:
        return replay(session, session.get_one(Site, who.site.id), body.policy(), body.last)
