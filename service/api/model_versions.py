"""API calls for a site's own models: listing them, choosing the live one, going back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.store.database import begin, reading
from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Query
from service.moderation.log import note_act
from service.sites import model_versions
from service.sites.model_versions import Models, NoSuchModel

api = Noun("models", "Models", "Models that learned from a site's moderators.")
Score = Literal["spam", "abuse"]


class ModelsQuery(Query):
    """The score whose models to list."""

    score: Score = "spam"


class ModelChoice(BaseModel):
    """The model that scores from now on: a version, or "base" for the base model alone."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9-]{1,20}$"), Field(examples=["base"])
    ]
    score: Score = "spam"


class ScoreChoice(BaseModel):
    """The score whose model to change."""

    model_config = ConfigDict(strict=True, extra="forbid")

    score: Score = "spam"


class Learning(BaseModel):
    """Whether Greenroom trains the site's models. If false, a live model is replaced only if it
    learned from a comment that was erased.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    learns: bool


@api.call(
    "GET",
    "/v1/sites/<site>/models",
    scope="admin",
    summary="List models",
    says="The live model, and the cards of all stored models, newest first.",
)
def list_models(who: Caller, query: ModelsQuery) -> Models:
    """List the models that learned from this site's moderators, and show which one is live."""
    with reading() as session:
        return model_versions.listed(session, who.site.id, query.score)


@api.call(
    "PUT",
    "/v1/sites/<site>/models/live",
    scope="admin",
    summary="Choose a model",
    says="The list of models after the change.",
    answers={404: "There is no such model."},
)
def choose_model(who: Caller, body: ModelChoice) -> Models:
    """Choose the model that scores this site's comments. Workers use it from their
    next batch on.
    """
    with begin() as session:
        was = model_versions.live(session, who.site.id, body.score)
        try:
            version = model_versions.use(session, who.site.id, body.version, body.score)
        except NoSuchModel as error:
            raise Problem(404, str(error)) from None
        what = f"switched from the {body.score} model {was} to {version}"
        note_act(session, who.by, "settings", what, site_id=who.site.id)
        return model_versions.listed(session, who.site.id, body.score)


@api.call(
    "POST",
    "/v1/sites/<site>/models/back",
    scope="admin",
    summary="Go back to the previous model",
    says="The list of models after the change.",
    answers={409: "There is no earlier model."},
    body_may_be_missing=True,
)
def restore_model(who: Caller, body: ScoreChoice) -> Models:
    """Go back to the model that was live before this one."""
    with begin() as session:
        was = model_versions.live(session, who.site.id, body.score)
        try:
            version = model_versions.back(session, who.site.id, body.score)
        except NoSuchModel as error:
            raise Problem(409, str(error)) from None
        what = f"went back from the {body.score} model {was} to {version}"
        note_act(session, who.by, "settings", what, site_id=who.site.id)
        return model_versions.listed(session, who.site.id, body.score)


@api.call(
    "PUT",
    "/v1/sites/<site>/models/learning",
    scope="admin",
    summary="Turn learning on or off",
    says="The list of spam models after the change.",
)
def set_learning(who: Caller, body: Learning) -> Models:
    """Turn the training of the site's models on or off, for all scores. While it is off, a model is
    replaced only if it learned from a comment that was erased.
    """
    with begin() as session:
        model_versions.set_learning(session, who.site.id, learns=body.learns, by=who.by)
        return model_versions.listed(session, who.site.id)
