"""A draft of a policy, tried on what was decided before it is saved."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from models.judgement.policy import Policy
from models.records import Site
from models.store.database import reading
from service.api.moderation import body_as
from service.api.public import json_response
from service.api.sites import PolicyChange, checked_words
from service.http.api_keys import caller
from service.sites.replaying import replay

MOST = 2000

api = Blueprint("replay", __name__)


class Draft(PolicyChange):
    """A policy as it would be saved, to be tried on the `last` so many settled comments."""

    last: Annotated[int, Field(ge=1, le=MOST)] = 500


@api.post("/v1/sites/<site>/policy/replay")
def try_policy(site: str) -> Response:
    """What would change, and which human decisions it would contradict. Nothing is changed."""
    who = caller(site, "admin")
    draft = body_as(Draft)
    checked_words(draft)
    policy = Policy.model_validate(draft.kept())
    with reading() as session:
        return json_response(
            replay(session, session.get_one(Site, who.site.id), policy, draft.last)
        )
