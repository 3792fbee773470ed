"""People: who may do what on which site; inviting and removing them."""

from __future__ import annotations

from flask import redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.records import Membership, Moderator, Site
from models.store.database import begin, reading
from service.console.blueprint import acting, console, looking
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


@console.post("/sites/<site>/people")
def invite(site: str) -> str | tuple[str, int]:
    """The link is shown this once, and mailed where mail can be sent."""
    who = acting()
    check_owner(who, site)
    email, role = request.form.get("email", ""), request.form.get("role", "")
    if role not in ROLES:
        raise Problem(422, "A role is owner, moderator or viewer.")
    try:
        link = tickets.invite(email, site, role, by=who.by)
    except ValueError as error:
        return _page(who, error=str(error)), 422
    if mail.can_send():
        mail.send_soon(email, *letters.invitation(who.email, site, link))
    return _page(who, link=link, email=email)


@console.post("/sites/<site>/people/<moderator_id>")
def change_role(site: str, moderator_id: str) -> BaseResponse:
    """Another role, or none: then they are out, at once and everywhere on this site."""
    who = acting()
    check_owner(who, site)
    role = request.form.get("role", "")
    if role not in {*ROLES, "remove"}:
        raise Problem(422, "A role is owner, moderator or viewer.")
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        team.set_role(
            session, site_id, known(moderator_id), None if role == "remove" else role, by=who.by
        )
    return redirect("/console/people", 303)


def check_owner(who: SignedIn, site: str) -> None:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
