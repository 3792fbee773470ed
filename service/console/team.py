"""People: who may do what on which site; inviting and removing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import redirect, render_template, request
from sqlalchemy import Row, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.records import Membership, Moderator, Site, Ticket
from models.store.database import begin, reading
from service.console.blueprint import console, looking
from service.console.confirming import Action, sensitive
from service.console.item import check_may, known
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.people import api_keys, letters, mail, required_factor, team, tickets
from service.people.letters import A_ROLE
from service.people.names import ROLES, names_of

MAY = {
    "viewer": "can see comments",
    "moderator": "can also approve and reject them",
    "owner": "can also change the settings and invite people",
}


@console.get("/people")
def people() -> str:
    return page(looking())


class Team(NamedTuple):
    """The people of one site. Only owners see the invitations."""

    members: Sequence[Row[str, str, bytes | None, str]]
    invitations: Sequence[Ticket]
    requires_second_factor: bool

    @property
    def without(self) -> int:
        """How many people have no second factor."""
        return sum(member.second_factor is None for member in self.members)


def page(who: SignedIn, *, new: tickets.Invitation | None = None, error: str = "") -> str:
    with reading() as session:
        sites = session.scalars(select(Site).where(Site.key.in_(who.sites)).order_by(Site.key))
        teams = {site.key: _team(session, who, site) for site in sites}
        inviting = {each.by for team_ in teams.values() for each in team_.invitations}
        names = names_of(session, inviting)
    return render_template(
        "console/people.html",
        who=who,
        teams=teams,
        names=names,
        roles=ROLES,
        may=MAY,
        new=new,
        error=error,
        mailed=mail.can_send(),
    )


def _team(session: Session, who: SignedIn, site: Site) -> Team:
    invitations: Sequence[Ticket] = ()
    if who.may(site.key, "owner"):
        invitations = session.scalars(team.invited(site.id)).all()
    members = session.execute(team.members(site.id)).all()
    return Team(members, invitations, site.second_factor_required)


def _inviting(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    email, role = request.form.get("email", ""), _role(*ROLES)
    return Action(f"invite {email} as {A_ROLE[role]} of {site}", back="/console/people")


@console.post("/sites/<site>/people")
@sensitive(_inviting)
def invite(who: SignedIn, site: str) -> str | tuple[str, int]:
    """Show the link, only this once, and mail it if the service can send mail."""
    email, role = request.form.get("email", ""), _role(*ROLES)
    try:
        link = tickets.invite(email, site, role, by=who.by)
    except ValueError as error:
        return page(who, error=str(error)), 422
    return mailed(who, site, tickets.Invitation(email, role, link))


def mailed(who: SignedIn, site: str, new: tickets.Invitation) -> str:
    """Mail the link if the service can send mail, and show it."""
    mail.notify(new.email, letters.invitation(who.email, site, new.role, new.link))
    return page(who, new=new)


def _changing_role(who: SignedIn, site: str, moderator_id: str) -> Action:
    check_owner(who, site)
    role = _role(*ROLES, "remove")
    member = select(Moderator.email).join(Membership, Membership.moderator_id == Moderator.id)
    member = member.join(Site, Site.id == Membership.site_id)
    member = member.where(Site.key == site, Moderator.id == known(moderator_id))
    with reading() as session:
        email = session.scalar(member)
    if email is None:
        raise Problem(404, f"There is no such person on {site}.")
    what = (
        f"remove {email} from {site}"
        if role == "remove"
        else f"make {email} {A_ROLE[role]} of {site}"
    )
    return Action(what, back="/console/people")


@console.post("/sites/<site>/people/<moderator_id>")
@sensitive(_changing_role)
def change_role(who: SignedIn, site: str, moderator_id: str) -> BaseResponse:
    """Give someone another role, or remove them, which ends their access to the site at once."""
    role = _role(*ROLES, "remove")
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        team.set_role(
            session, site_id, known(moderator_id), None if role == "remove" else role, by=who.by
        )
    return redirect("/console/people", 303)


def _setting_sign_in(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    required = _is_required()
    what = (
        "require a second factor from everyone on"
        if required
        else "stop requiring a second factor on"
    )
    return Action(f"{what} {site}", back="/console/people")


@console.post("/sites/<site>/sign-in")
@sensitive(_setting_sign_in)
def set_sign_in(who: SignedIn, site: str) -> BaseResponse | tuple[str, int]:
    """Require a second factor from everyone on the site, or no longer."""
    try:
        with begin() as session:
            site_id = api_keys.site_id_of(session, site)
            required_factor.require(
                session, site_id, _is_required(), by=who.by, owner_id=who.moderator_id
            )
    except Problem as problem:
        return page(who, error=problem.detail), problem.status
    return redirect("/console/people", 303)


def _is_required() -> bool:
    choice = request.form.get("second_factor", "")
    if choice not in {"required", "optional"}:
        raise Problem(422, "Choose whether a second factor is required.")
    return choice == "required"


def _role(*possible: str) -> str:
    role = request.form.get("role", "")
    if role not in possible:
        raise Problem(422, "A role must be owner, moderator or viewer.")
    return role


def check_owner(who: SignedIn, site: str) -> None:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
