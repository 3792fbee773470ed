"""A site's policy: read it with its fitted thresholds, save it as a new version, change parts of
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.judgement import promises
from models.judgement.policy import Policy
from models.records import PolicyVersion, Site
from models.settling.site_rules import rules_of
from service.http.problems import Problem, from_validation, wrong_fields
from service.operations.metrics import CHECKS
from service.sites.replaying import scores_of


class Share(TypedDict):
    """`wrong` out of `of` decisions, as a share, with the bounds of its exact 95 % confidence
    interval.
    """

    wrong: int
    of: int
    share: float | None
    low: float
    high: float


class FittedAbuseThreshold(TypedDict):
    """The threshold of the abuse score: the good comments that this score holds by itself, and the
    abusive ones that it finds.
    """

    flag_above: float
    held_back: Share
    caught: Share


class FittedThresholds(TypedDict):
    """The thresholds that meet the policy's `promises`, and the decisions that they are based on.
    `abuse` has the threshold of the abuse score, and the others are those of the spam score.
    `held_back` are the good comments that any score holds.
    `why` explains what Greenroom does not do yet.
    """

    flag_above: float
    flag_above_with_hint: float
    reject_above: float | None
    held_back: Share
    rejected: Share
    caught: Share
    reviews_a_day: float | None
    why: list[str]
    abuse: FittedAbuseThreshold


class PolicyInForce(Policy):
    """A site's policy. `fitted` is null while the manual thresholds apply."""

    version: Annotated[int, Field(examples=[3])]
    fitted: FittedThresholds | None


class PolicyChange(Policy):
    """A policy to save. With `version`, Greenroom saves it only if that version is current.

    You may send back the `fitted` that you read, but you cannot change it: it follows from
    `promises`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [Policy().model_dump(mode="json")]},
    )

    version: Annotated[int | None, Field(ge=1, examples=[3])] = None
    fitted: dict[str, object] | None = None

    def policy(self) -> Policy:
        """Return the policy alone, as it is stored."""
        return Policy.model_validate(self.model_dump(mode="json", include=set(Policy.model_fields)))


def _patch_of(
    shape: type[BaseModel], *, config: ConfigDict | None = None, **more: Any
) -> type[BaseModel]:
    """Return the same shape with every field optional and nullable, at every level (RFC 7396)."""
    fields: dict[str, Any] = {}
    for name, field in shape.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _patch_of(kind)
        elif get_origin(kind) is dict:
            key, value = get_args(kind)
            kind = GenericAlias(dict, (key, value | None))
        elif field.metadata:
            kind = Annotated[kind, *field.metadata]
        fields[name] = (kind | None, Field(None, json_schema_extra=field.json_schema_extra))
    return create_model(
        f"{shape.__name__}Patch",
        __config__=config or ConfigDict(extra="forbid"),
        __doc__=f"The parts of {shape.__name__} to change. Null resets a part to its default.",
        **fields,
        **more,
    )


PolicyPatch = _patch_of(
    Policy,
    config=ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"links": {"max_links": 3}}]}
    ),
    version=(Annotated[int | None, Field(ge=1, examples=[3])], None),
    fitted=(dict[str, object] | None, None),
)


def in_force(session: Session, site: Site) -> PolicyInForce:
    policy = Policy.model_validate(site.policy)
    fitted = promises.fit(policy, scores_of(session, site))
    told: Any = fitted.told() if fitted else None
    named = {**dict(policy), "rules": rules_of(policy.rules, site.locale)}
    return PolicyInForce(**named, version=site.policy_version, fitted=told)


def save_policy(
    session: Session, site: str, policy: Policy, *, version: int | None, by: str
) -> Site:
    """Save this policy as the site's next version, and return the site. Raises a 422 for invalid
    words or checks, and a 409 if another version was saved since `version`.
    """
    check_names(policy)
    checked_words(policy)
    kept = policy.model_dump(mode="json")
    row = locked_site(session, site)
    if version is not None and version != row.policy_version:
        raise Problem(
            409,
            f"The settings have changed: they are now version {row.policy_version}. "
            "Load them again and repeat your change.",
        )
    row.policy, row.policy_version = kept, row.policy_version + 1
    session.add(PolicyVersion(site_id=row.id, version=row.policy_version, policy=kept, by=by))
    return row


def change_parts(session: Session, site: str, patch: Mapping[str, Any], *, by: str) -> Site:
    """Merge a JSON merge patch into the current policy. Raises what `save_policy` raises, and a 422
    for an invalid policy.
    """
    given = dict(patch)
    version = given.pop("version", None)
    given.pop("fitted", None)
    now = Policy.model_validate(locked_site(session, site).policy).model_dump(mode="json")
    try:
        policy = Policy.model_validate(merged(now, given))
    except ValidationError as error:
        raise from_validation(error) from None
    return save_policy(session, site, policy, version=version, by=by)


def merged(target: object, patch: object) -> object:
    """Merge by RFC 7396: objects are merged, null removes a member, and anything else replaces
    it.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def locked_site(session: Session, site: str) -> Site:
    wanted = select(Site).where(Site.key == site)
    return session.execute(wanted.with_for_update(key_share=True)).scalar_one()


def check_names(policy: Policy) -> None:
    """Raise a 422 that names unknown checks: a typing error would be stored and have no effect."""
    if unknown := sorted(set(policy.could_not_run) - set(CHECKS)):
        message = f"There is no such check. The checks are: {', '.join(CHECKS)}."
        fields = {f"could_not_run.{name}": message for name in unknown}
        raise wrong_fields(fields, detail="Some checks do not exist.")


def checked_words(policy: Policy) -> None:
    """Raise a 422 that names the words and patterns that cannot be searched for."""
    from models.judgement.words import problems  # noqa: PLC0415 — RE2, for this one call

    if wrong := problems(policy.words):
        errors = [{"field": "words", "message": text} for text in wrong]
        raise Problem(422, "Some words or patterns are not valid.", errors=errors)
