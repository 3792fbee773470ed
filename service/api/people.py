"""API calls for a site's people: their roles, inviting and removing them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from models.store.database import begin, reading
from service.http.api_keys import Caller
from service.http.api_types import Email, Id, OneOf, Role, Url
from service.http.calls import Noun
from service.http.problems import wrong_field
from service.people import letters, mail, required_factor, team, tickets
from service.people.names import ROLES
from service.people.team import Invited, Member

api = Noun("people", "People", "People with a role on a site.")

_ENDED = "The invitation has been used or withdrawn, or it has expired."


class Invitation(BaseModel):
    """The person to invite, and their role."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: Annotated[
        str,
        StringConstraints(max_length=254),
        Field(json_schema_extra={"format": "email"}, examples=["bob@paper.example"]),
    ]
    role: Annotated[Role, Field(examples=["moderator"])]


class RoleChange(BaseModel):
    """The new role."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Annotated[Role, Field(examples=["moderator"])]


class People(TypedDict):
    """Everyone with a role, and the invitations that are still open."""

    people: list[Member]
    invited: list[Invited]


class Invite(TypedDict):
    """An invitation. `mailed` says whether Greenroom also emailed the link."""

    email: Email
    role: Annotated[str, OneOf(ROLES)]
    link: Url
    mailed: bool


class RoleNow(TypedDict):
    """A person's current role."""

    id: Id
    email: Email
    role: Role


@api.call(
    "GET",
    "/v1/sites/<site>/people",
    scope="admin",
    summary="List people",
    says="Everyone with a role, and the open invitations.",
)
def list_people(who: Caller) -> People:
    """List the people with a role on this site, and the open invitations."""
    with reading() as session:
        members = [team.member_shape(row) for row in session.execute(team.members(who.site.id))]
        invited = [
            team.ticket_shape(ticket) for ticket in session.scalars(team.invited(who.site.id))
        ]
    return {"people": members, "invited": invited}


@api.call(
    "POST",
    "/v1/sites/<site>/people",
    scope="admin",
    summary="Invite someone",
    says="The invitation with its link. The link is shown only once.",
    status=201,
)
def invite_person(who: Caller, body: Invitation) -> Invite:
    """Invite someone to this site. The link works once and expires after a week. Greenroom also
    emails it if outgoing mail is set up. Older invitations of this person to this site stop
    working.
    """
    site = who.site.key
    try:
        link = tickets.invite(body.email, site, body.role, by=who.by)
    except ValueError as error:
        raise wrong_field("email", str(error)) from None
    return _mailed(site, tickets.Invitation(body.email, body.role, link))


@api.call(
    "POST",
    "/v1/sites/<site>/invitations/<invitation_id>/resend",
    scope="admin",
    summary="Send an invitation again",
    says="The invitation with its new link. The link is shown only once.",
    status=201,
    answers={404: _ENDED},
)
def resend_invitation(who: Caller, invitation_id: str) -> Invite:
    """Replace an invitation with a new one for the same person and role. The old link stops
    working. The new one works once and expires after a week. Greenroom also emails it if outgoing
    mail is set up.
    """
    with begin() as session:
        new = tickets.invite_again(session, who.site.id, invitation_id, by=who.by)
    return _mailed(who.site.key, new)


def _mailed(site: str, new: tickets.Invitation) -> Invite:
    if mailed := mail.can_send():
        text = letters.invitation(f"The owner of {site}", site, new.role, new.link)
        mail.send_soon(new.email, *text)
    return {"email": new.email, "role": new.role, "link": new.link, "mailed": mailed}


@api.call(
    "DELETE",
    "/v1/sites/<site>/invitations/<invitation_id>",
    scope="admin",
    summary="Withdraw an invitation",
    says="The link no longer works.",
    status=204,
    answers={404: _ENDED},
)
def withdraw_invitation(who: Caller, invitation_id: str) -> None:
    """Withdraw an invitation that nobody has accepted yet. Its link stops working at once."""
    with begin() as session:
        tickets.withdraw(session, who.site.id, invitation_id, by=who.by)


@api.call(
    "PUT",
    "/v1/sites/<site>/people/<moderator_id>",
    scope="admin",
    summary="Change someone's role",
    says="The new role.",
    answers={409: "This person is the site's only owner."},
)
def change_role(who: Caller, moderator_id: str, body: RoleChange) -> RoleNow:
    """Replace someone's role on this site."""
    with begin() as session:
        email = team.set_role(session, who.site.id, moderator_id, body.role, by=who.by)
    return {"id": moderator_id, "email": email, "role": body.role}


@api.call(
    "DELETE",
    "/v1/sites/<site>/people/<moderator_id>",
    scope="admin",
    summary="Remove someone",
    says="The person no longer has a role on this site.",
    status=204,
    answers={409: "This person is the site's only owner."},
)
def remove_person(who: Caller, moderator_id: str) -> None:
    """Remove someone's role on this site. This takes effect at once."""
    with begin() as session:
        team.set_role(session, who.site.id, moderator_id, None, by=who.by)


class SignInRules(BaseModel):
    """The sign-in rules of a site, for everyone who works on it in the console."""

    model_config = ConfigDict(strict=True, extra="forbid")

    second_factor_required: Annotated[bool, Field(examples=[True])]


class SignInRulesNow(TypedDict):
    """The sign-in rules of a site, for everyone who works on it in the console."""

    second_factor_required: bool


@api.call(
    "GET",
    "/v1/sites/<site>/sign-in",
    scope="admin",
    summary="Read the sign-in rules",
    says="Whether the site requires a second factor.",
)
def read_sign_in(who: Caller) -> SignInRulesNow:
    """Read the site's rules for signing in. `GET …/people` shows who has a second factor."""
    with reading() as session:
        return {"second_factor_required": required_factor.is_required(session, who.site.id)}


@api.call(
    "PUT",
    "/v1/sites/<site>/sign-in",
    scope="admin",
    summary="Change the sign-in rules",
    says="The current rules.",
    answers={409: "No owner has a second factor yet."},
)
def change_sign_in(who: Caller, body: SignInRules) -> SignInRulesNow:
    """Require a second factor from everyone on this site, or stop requiring it. People without one
    must turn it on before they can see the site in the console. API keys are not affected.
    """
    required = body.second_factor_required
    with begin() as session:
        required_factor.require(session, who.site.id, required, by=who.by)
    return {"second_factor_required": required}
