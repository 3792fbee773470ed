"""A site's own models by key: which there were, which scores, and going back."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from models.store.database import begin, reading
from service.api.moderation import body_as
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation.acts import note_act
from service.sites import model_versions
from service.sites.model_versions import NoSuchModel

api = Blueprint("models", __name__)


class ModelChoice(BaseModel):
    """The model that is to score this site's comments: a version, or "base" for the base model
    alone.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,20}$")]


@api.get("/v1/sites/<site>/models")
def models(site: str) -> Response:
    who = caller(site, "admin")
    with reading() as session:
        return json_response(model_versions.listed(session, who.site.id))


@api.put("/v1/sites/<site>/models/live")
def use(site: str) -> Response:
    who = caller(site, "admin")
    choice = body_as(ModelChoice)
    with begin() as session:
        try:
            version = model_versions.use(session, who.site.id, choice.version)
        except NoSuchModel as error:
            raise Problem(404, str(error)) from None
        note_act(
            session, who.by, "settings", f"chose the spam model {version}", site_id=who.site.id
        )
        answer = model_versions.listed(session, who.site.id)
    return json_response(answer)


@api.post("/v1/sites/<site>/models/back")
def back(site: str) -> Response:
    """To the model that the live one took the place of."""
    who = caller(site, "admin")
    with begin() as session:
        try:
            version = model_versions.back(session, who.site.id)
        except NoSuchModel as error:
            raise Problem(409, str(error)) from None
        note_act(
            session,
            who.by,
            "settings",
            f"went back to the spam model {version}",
            site_id=who.site.id,
        )
        answer = model_versions.listed(session, who.site.id)
    return json_response(answer)
