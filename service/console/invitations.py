"""Open invitations: sending one again, and withdrawing it. The people page lists them."""

from __future__ import annotations

from flask import redirect
from werkzeug.wrappers import Response as BaseResponse

from models.store.database import begin, reading
from service.console.blueprint import acting, console
from service.console.confirming import Action, sensitive
from service.console.sessions import SignedIn
from service.console.team import check_owner, mailed
from service.people import api_keys, tickets
from service.people.letters import A_ROLE


def _sending_again(who: SignedIn, site: str, invitation_id: str) -> Action:
    check_owner(who, site)
    with reading() as session:
        site_id = api_keys.site_id_of(session, site)
        old = tickets.open_invitation(session, site_id, invitation_id)
    what = f"send {old.email} the invitation to be {A_ROLE[str(old.role)]} of {site} again"
    return Action(what, back="/console/people")


@console.post("/sites/<site>/invitations/<invitation_id>/resend")
@sensitive(_sending_again)
def resend_invitation(who: SignedIn, site: str, invitation_id: str) -> str:
    """Show the new link, only this once, and mail it if the service can send mail."""
    with begin() as session:
        site_id = api_keys.site_id_of(session, site)
        new = tickets.invite_again(session, site_id, invitation_id, by=who.by)
    return mailed(who, site, new)


@console.post("/sites/<site>/invitations/<invitation_id>/withdraw")
def withdraw_invitation(site: str, invitation_id: str) -> BaseResponse:
    """Withdraw it at once and without the password, because a link that went to the wrong address
    must stop working soon.
    """
    who = acting()
    check_owner(who, site)
    with begin() as session:
        site_id = api_keys.site_id_of(session, site)
        tickets.withdraw(session, site_id, invitation_id, by=who.by)
    return redirect("/console/people", 303)
