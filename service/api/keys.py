"""API calls for a site's API keys: creating, listing, revoking and rotating them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from models.store.database import begin, reading
from service.http.api_keys import SITE_SCOPES, Caller
from service.http.api_types import OneOf
from service.http.calls import Noun
from service.http.requests import Moment
from service.people import api_keys
from service.people.api_keys import KeyWithSecret, ShownKey

api = Noun("keys", "API keys", "Keys that programs send to call the API.")


class KeyRequest(BaseModel):
    """The key to create. `admin` includes `moderate`, and `moderate` includes `read`. `post` lets a
    server post on behalf of its readers and pass their IP addresses. Without `expires_at` the key
    works until someone revokes it. With `learn`, the site's models learn from all decisions of
    the key. Without it, a call can still ask for that.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(strict=True, max_length=api_keys.MOST_NAME, examples=["CMS"])]
    scopes: Annotated[
        list[Annotated[str, OneOf(SITE_SCOPES)]],
        Field(min_length=1, max_length=len(SITE_SCOPES), examples=[["moderate", "post"]]),
    ]
    expires_at: Annotated[Moment, Field(examples=["2999-01-01T00:00:00Z"])] = None
    learn: Annotated[bool, Field(strict=True)] = False


class KeyRotation(BaseModel):
    """How long the old key keeps working beside the new one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=int(api_keys.MOST_OVERLAP.total_seconds()))] = (
        int(api_keys.OVERLAP.total_seconds())
    )


class Keys(TypedDict):
    """Keys, newest first."""

    keys: list[ShownKey]


@api.call(
    "GET",
    "/v1/sites/<site>/keys",
    scope="admin",
    summary="List API keys",
    says="All keys of the site, newest first.",
)
def list_keys(who: Caller) -> Keys:
    """List the site's keys, including expired and revoked ones. `last_used_at` can lag by up to a
    minute.
    """
    with reading() as session:
        return {"keys": [api_keys.key_shape(row) for row in api_keys.listed(session, who.site.id)]}


@api.call(
    "POST",
    "/v1/sites/<site>/keys",
    scope="admin",
    summary="Create an API key",
    says="The new key. It is shown only once.",
    status=201,
)
def create_key(who: Caller, body: KeyRequest) -> KeyWithSecret:
    """Create a key for this site. It can only have scopes that your own key has."""
    new = api_keys.NewKey(body.scopes, body.name, body.expires_at, body.learn)
    with begin() as session:
        made = api_keys.create(session, who.site.id, new, by=who.by, within=who.scopes)
        return {**api_keys.key_shape(made.row), "key": made.key}


@api.call(
    "POST",
    "/v1/sites/<site>/keys/<key_id>/rotate",
    scope="admin",
    summary="Rotate an API key",
    says="The new key. It is shown only once.",
    status=201,
    answers={409: "The key no longer works, or it has already been rotated."},
    body_may_be_missing=True,
)
def rotate_key(who: Caller, key_id: str, body: KeyRotation) -> KeyWithSecret:
    """Create a key with the same name, scopes and lifetime. The old key keeps working for a day, or
    for `overlap_seconds`.
    """
    overlap = timedelta(seconds=body.overlap_seconds)
    with begin() as session:
        row = api_keys.of_site(session, who.site.id, key_id)
        made = api_keys.rotate(session, row, by=who.by, overlap=overlap, within=who.scopes)
        return {**api_keys.key_shape(made.row), "key": made.key}


@api.call(
    "DELETE",
    "/v1/sites/<site>/keys/<key_id>",
    scope="admin",
    summary="Revoke an API key",
    says="The key was revoked.",
    status=204,
)
def revoke_key(who: Caller, key_id: str) -> None:
    """Revoke a key immediately and permanently. A key may revoke itself."""
    with begin() as session:
        api_keys.revoke(session, api_keys.of_site(session, who.site.id, key_id), by=who.by)
