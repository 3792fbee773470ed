"""A site's people, by key: who may what, inviting, another role, removing."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.store.database import begin, reading
from service.api.moderation import body_as
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.people import mail, team, tickets

Role = Literal["owner", "moderator", "viewer"]

api = Blueprint("people", __name__)


class Invitation(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    email: Annotated[
        str, StringConstraints(max_length=254), Field(json_schema_extra={"format": "email"})
    ]
    role: Role


class RoleChange(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    role: Role


@api.get("/v1/sites/<site>/people")
def people(site: str) -> Response:
    who = caller(site, "admin")
    with reading() as session:
        members = [team.member_shape(row) for row in session.execute(team.members(who.site.id))]
        invited = [
            team.ticket_shape(ticket) for ticket in session.scalars(team.invited(who.site.id))
        ]
    return json_response({"people": members, "invited": invited})


@api.post("/v1/sites/<site>/people")
def invite(site: str) -> Response:
    """The link is shown this once, and mailed where mail can be sent."""
    who = caller(site, "admin")
    asked = body_as(Invitation)
    try:
        link = tickets.invite(asked.email, site, asked.role, by=who.by)
    except ValueError as error:
        raise Problem(422, str(error), errors=[{"field": "email", "message": str(error)}]) from None
    if mailed := mail.can_send():
        mail.send_soon(asked.email, *team.letter(f"The owner of {site}", site, link))
    return json_response(
        {"email": asked.email, "role": asked.role, "link": link, "mailed": mailed}, 201
    )


@api.put("/v1/sites/<site>/people/<moderator_id>")
def change_role(site: str, moderator_id: str) -> Response:
    who = caller(site, "admin")
    asked = body_as(RoleChange)
    with begin() as session:
        email = team.set_role(session, who.site.id, moderator_id, asked.role, by=who.by)
    return json_response({"id": moderator_id, "email": email, "role": asked.role})


@api.delete("/v1/sites/<site>/people/<moderator_id>")
def remove(site: str, moderator_id: str) -> Response:
    """They are out at once."""
    who = caller(site, "admin")
    with begin() as session:
        team.set_role(session, who.site.id, moderator_id, None, by=who.by)
    return Response(status=204)
