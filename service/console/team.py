"""People: who may do what on which site; inviting and removing them."""

from __future__ import annotations

from flask import redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.records import Membership, Moderator, Site
from models.store.database import begin, reading
from service.console.blueprint import console, looking
from service.console.confirming import Action, sensitive
from service.console.item import check_may, known
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.people import letters, mail, team, tickets
from service.people.names import ROLES

MAY = {
    "owner": "decides, changes the settings, and invites others",
    "moderator": "decides",
    "viewer": "looks",
}


@console.get("/people")
def people() -> str:
    return _page(looking())


def _page(who: SignedIn, *, link: str = "", email: str = "", error: str = "") -> str:
    wanted = select(
        Site.key, Moderator.id, Moderator.email, Moderator.second_factor, Membership.role
    )
    wanted = wanted.join(Membership, Membership.site_id == Site.id).join(
        Moderator, Moderator.id == Membership.moderator_id
    )
    wanted = wanted.where(Site.key.in_(who.sites)).order_by(Site.key, Moderator.email)
    with reading() as session:
        rows = session.execute(wanted).all()
    teams = {site: [row for row in rows if row.key == site] for site in who.sites}
    return render_template(
        "console/people.html",
        who=who,
        teams=teams,
        roles=ROLES,
        may=MAY,
        link=link,
        email=email,
        error=error,
        mailed=mail.can_send(),
    )


def _inviting(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    email, role = request.form.get("email", ""), _role(*ROLES)
    return Action(f"invite {email} as {role} of {site}", back="/console/people")


@console.post("/sites/<site>/people")
@sensitive(_inviting)
def invite(who: SignedIn, site: str) -> str | tuple[str, int]:
    """Show the link, this once, and mail it if the service can send mail."""
    email, role = request.form.get("email", ""), _role(*ROLES)
    try:
        link = tickets.invite(email, site, role, by=who.by)
    except ValueError as error:
        return _page(who, error=str(error)), 422
    if mail.can_send():
        mail.send_soon(email, *letters.invitation(who.email, site, link))
    return _page(who, link=link, email=email)


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
    what = f"remove {email} from {site}" if role == "remove" else f"make {email} {role} of {site}"
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


def _role(*possible: str) -> str:
    role = request.form.get("role", "")
    if role not in possible:
        raise Problem(422, "A role is owner, moderator or viewer.")
    return role


def check_owner(who: SignedIn, site: str) -> None:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
