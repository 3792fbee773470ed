"""Links that work once: an invitation to a site, and a reset of the password. Printed or mailed.

The row decides whether a link works: it is deleted when the link is used, withdrawn or ended by
something else (live_links.py). Only a hash of the link is kept.
"""

from __future__ import annotations

import hashlib
import secrets as random
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.identifiers import first_id
from models.records import Act, Moderator, Site, Ticket
from models.settling.actor import Actor
from models.store.database import begin, now, reading
from service.http.listening import public_url
from service.http.problems import Problem
from service.moderation.log import note_act
from service.people import accounts, console_sessions, live_links, team

HOUR = timedelta(hours=1)
MAILS_AN_HOUR = 3
ASKED_FOR_ADDRESS = "asked to change the email address"  # in the log
MAILED = "was mailed a link to choose a new password"  # in the log
LASTS = {"invitation": timedelta(days=7), "reset": HOUR, "address": HOUR}


class Invitation(NamedTuple):
    """An invitation with its link, which is known only when it is made."""

    email: str
    role: str
    link: str


def invite(email: str, site: str, role: str, *, by: str) -> str:
    """Make an invitation and return its link. The person's older invitations to the site end.

    Raises ValueError for a wrong address or site.
    """
    email = accounts.checked_email(email)
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar()
        if site_id is None:
            raise ValueError(f"There is no site {site!r}.")
        team.lock(session, site_id)
        note_act(session, by, "people", f"invited {email} as {role}", site_id=site_id)
        return _invite(session, email, site_id, role, by=by)


def invite_again(session: Session, site_id: int, invitation_id: str, *, by: str) -> Invitation:
    """Replace an invitation by a new one that lasts a week from now. Raises a 404 if it has
    ended.
    """
    team.lock(session, site_id)
    old = open_invitation(session, site_id, invitation_id)
    email, role = old.email, str(old.role)
    what = f"sent the invitation for {email} as {role} again"
    note_act(session, by, "people", what, site_id=site_id)
    return Invitation(email, role, _invite(session, email, site_id, role, by=by))


def withdraw(session: Session, site_id: int, invitation_id: str, *, by: str) -> None:
    """End an invitation. Raises a 404 if it has ended already, for example because it was used."""
    team.lock(session, site_id)
    invitation = open_invitation(session, site_id, invitation_id)
    what = f"withdrew the invitation for {invitation.email} as {invitation.role}"
    note_act(session, by, "people", what, site_id=site_id)
    live_links.void_invitations(session, invitation.email, site_id=site_id)


def reset(email: str, *, by: str) -> str:
    """Return a link to choose a new password. Older links stop working.

    Raises ValueError for an unknown account.
    """
    email = email.strip().lower()
    with begin() as session:
        if _locked_account(session, email) is None:
            raise ValueError(f"There is no account {email}.")
        live_links.void_resets(session, email)
        return _add(session, Ticket(kind="reset", email=email, by=by))


def reset_by_mail(email: str) -> str | None:
    """Return a link to mail to the account, or None if there is no such account, or if its mailbox
    got enough of them within the last hour.

    The log counts them, so the limit holds for all web processes together.
    """
    with begin() as session:
        moderator = _locked_account(session, email)
        if moderator is None:
            return None
        by = str(Actor.moderator(moderator.id))
        if _acts_of_the_hour(session, by, MAILED) >= MAILS_AN_HOUR:
            return None
        note_act(session, by, "people", MAILED)
        live_links.void_resets(session, email)
        return _add(session, Ticket(kind="reset", email=email, by="the form"))


def new_address(moderator_id: str, email: str) -> str | None:
    """Return a link to mail to a new address of the account, or None if another account uses it.

    Raises ValueError for an invalid address, and a 429 if the account asked too often.
    """
    email, by = accounts.checked_email(email), str(Actor.moderator(moderator_id))
    with begin() as session:
        session.get_one(Moderator, moderator_id, with_for_update=True)
        if _acts_of_the_hour(session, by, ASKED_FOR_ADDRESS) >= MAILS_AN_HOUR:
            raise Problem(429, "You asked for this three times within an hour. Try again later.")
        note_act(session, by, "people", ASKED_FOR_ADDRESS)
        live_links.void_new_addresses(session, moderator_id)
        if _locked_account(session, email) is not None:
            return None
        return _add(session, Ticket(kind="address", email=email, by=by))


def use_new_address(ticket: Ticket) -> str | None:
    """Give the account its new address. Return the old one, or None if the link no longer works.

    Raises a 409 if another account got the address meanwhile.
    """
    moderator_id = Actor.parse(ticket.by).id
    with begin() as session:
        moderator = session.get_one(Moderator, moderator_id, with_for_update=True)
        if not _take(session, ticket):
            return None
        if _locked_account(session, ticket.email) is not None:
            raise Problem(409, "Another account already uses this address. Choose a different one.")
        old, moderator.email = moderator.email, ticket.email
        live_links.address_changed(session, old, moderator_id)
        what = f"changed the email address from {old} to {ticket.email}"
        note_act(session, ticket.by, "people", what)
    return old


def _acts_of_the_hour(session: Session, by: str, what: str) -> int:
    lately = (Act.site_id.is_(None)) & (Act.id >= first_id(now() - HOUR))
    acts = select(func.count()).select_from(Act)
    return session.execute(acts.where(lately, Act.by == by, Act.what == what)).scalar_one()


def _invite(session: Session, email: str, site_id: int, role: str, *, by: str) -> str:
    live_links.void_invitations(session, email, site_id=site_id)
    ticket = Ticket(kind="invitation", email=email, site_id=site_id, role=role, by=by)
    return _add(session, ticket)


def open_invitation(session: Session, site_id: int, invitation_id: str) -> Ticket:
    """Return the invitation. Raises a 404 if it has ended or is another site's."""
    for invitation in session.scalars(team.invited(site_id)):
        if invitation.id == invitation_id:
            return invitation
    raise Problem(
        404, "This invitation has been used or withdrawn, or it has expired. Send a new one."
    )


def _add(session: Session, ticket: Ticket) -> str:
    """Store a new ticket and return its link."""
    token = random.token_urlsafe(32)
    ticket.hash, ticket.expires_at = _hash(token), now() + LASTS[ticket.kind]
    session.add(ticket)
    return f"{public_url()}/console/join/{token}"


def find(token: str) -> Ticket | None:
    """Return the ticket of this link, if it still works."""
    wanted = select(Ticket).where(Ticket.hash == _hash(token), live_links.works())
    with reading() as session:
        return session.execute(wanted).scalar_one_or_none()


def is_new_account(ticket: Ticket) -> bool:
    with reading() as session:
        return (
            session.execute(select(Moderator.id).where(Moderator.email == ticket.email)).scalar()
            is None
        )


def use(token: str, password: str) -> bool:
    """Do what the link is for. Return False if it no longer works. Raises ValueError for a password
    that is too easy to guess, and a 409 if the site would lose its last owner.

    Someone with an account joins one more site with the password they have.
    """
    ticket = find(token)
    if ticket is None or ticket.kind == "address":
        return False
    sets_password = ticket.kind == "reset" or is_new_account(ticket)
    hashed = ""
    if sets_password:
        hashed = accounts.hashed(password, email=ticket.email, site_id=ticket.site_id)
    with begin() as session:
        # Code that ends links locks the same rows first, so only one of the two is in time.
        if ticket.site_id is not None:
            team.lock(session, ticket.site_id)
        moderator = _locked_account(session, ticket.email)
        if not _take(session, ticket):
            return False
        if ticket.kind == "reset" and moderator is not None:
            _set_password(session, moderator, hashed)
        if ticket.site_id is not None and ticket.role is not None:
            moderator = moderator or _new_account(session, ticket.email, hashed)
            team.join(session, ticket.site_id, moderator, ticket.role)
    return True


def _locked_account(session: Session, email: str) -> Moderator | None:
    wanted = select(Moderator).where(Moderator.email == email).with_for_update()
    return session.execute(wanted).scalar_one_or_none()


def _take(session: Session, ticket: Ticket) -> bool:
    works = (Ticket.hash == ticket.hash) & live_links.works()
    taken = session.execute(delete(Ticket).where(works).returning(Ticket.hash)).first()
    return taken is not None


def _set_password(session: Session, moderator: Moderator, hashed: str) -> None:
    moderator.password_hash, moderator.must_change_password = hashed, False
    live_links.password_changed(session, moderator.email)
    console_sessions.end_all(session, moderator.id)
    by = str(Actor.moderator(moderator.id))
    note_act(session, by, "people", "chose a new password with a link")


def _new_account(session: Session, email: str, hashed: str) -> Moderator:
    moderator = Moderator(email=email, password_hash=hashed)
    session.add(moderator)
    session.flush()
    return moderator


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
