"""Who may do what on a site: its people, their roles, inviting and removing them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Membership, Moderator, Site, Ticket
from models.settling.actor import Actor
from models.text.stamps import utc_stamp
from service.http.api_types import Email, Id, OneOf, Time
from service.http.problems import Problem
from service.moderation.log import note_act
from service.people import live_links
from service.people.names import ROLES

InvitationId = Annotated[
    str, Field(pattern="^[0-9a-f]{32}$", examples=["5f2b9c0e7d1a4e6f8b3c2d1e0f9a8b7c"])
]


class Member(TypedDict):
    """Someone with a role on the site."""

    id: Id
    email: Email
    role: Annotated[str, OneOf(ROLES)]
    second_factor: bool


class Invited(TypedDict):
    """An invitation that nobody has accepted yet. Its link is shown only on creation."""

    id: InvitationId
    email: Email
    role: Annotated[str, OneOf(ROLES)]
    by: Annotated[str, Field(examples=["moderator:0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10"])]
    at: Time
    until: Time


def members(site_id: int) -> Select[str, str, bytes | None, str]:
    """Return id, email, second factor and role of everyone on the site, sorted by email."""
    rows = select(Moderator.id, Moderator.email, Moderator.second_factor, Membership.role)
    rows = rows.join(Membership, Membership.moderator_id == Moderator.id)
    return rows.where(Membership.site_id == site_id).order_by(Moderator.email)


def invited(site_id: int) -> Select[Ticket]:
    """Return the invitations that still work."""
    open_ones = select(Ticket).where(Ticket.site_id == site_id, Ticket.kind == "invitation")
    return open_ones.where(live_links.works()).order_by(Ticket.at)


def lock(session: Session, site_id: int) -> None:
    """Make changes to the people of a site take turns: if two owners remove each other, one stays,
    and an invitation is either used or withdrawn.
    """
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update()).one()


def set_role(
    session: Session, site_id: int, moderator_id: str, role: str | None, *, by: str
) -> str:
    """Give someone another role, or remove them from the site with None. Return their email.

    Raises a 404 for someone who is not on the site, and a 409 for the last owner.
    """
    lock(session, site_id)
    member = session.get(Membership, (moderator_id, site_id)) if is_id(moderator_id) else None
    if member is None:
        raise Problem(404, "This person has no role on this site.")
    _check_keeps_an_owner(session, member, role)
    email = session.execute(
        select(Moderator.email).where(Moderator.id == moderator_id)
    ).scalar_one()
    if role is None:
        theirs = (Membership.moderator_id == moderator_id) & (Membership.site_id == site_id)
        session.execute(delete(Membership).where(theirs))
        did = f"removed {email}"
    else:
        did = f"changed the role of {email} from {member.role} to {role}"
        member.role = role
    live_links.role_changed(session, email, moderator_id, site_id=site_id, role=role)
    note_act(
        session,
        by,
        "people",
        did,
        site_id=site_id,
    )
    return email


def join(session: Session, site_id: int, moderator: Moderator, role: str) -> None:
    """Give someone who was invited their role. Lock the site first.

    Raises a 409 for the last owner, who was invited with a smaller role.
    """
    member = session.get(Membership, (moderator.id, site_id))
    if member is None:
        session.add(Membership(moderator_id=moderator.id, site_id=site_id, role=role))
    else:
        _check_keeps_an_owner(session, member, role)
        member.role = role
    live_links.role_changed(session, moderator.email, moderator.id, site_id=site_id, role=role)
    by = str(Actor.moderator(moderator.id))
    note_act(session, by, "people", f"joined as {role}", site_id=site_id)


def _check_keeps_an_owner(session: Session, member: Membership, role: str | None) -> None:
    if member.role == "owner" and role != "owner" and _owners(session, member.site_id) == 1:
        raise Problem(409, "A site needs at least one owner. Make someone else an owner first.")


def _owners(session: Session, site_id: int) -> int:
    wanted = select(func.count()).select_from(Membership)
    return session.execute(
        wanted.where(Membership.site_id == site_id, Membership.role == "owner")
    ).scalar_one()


def member_shape(row: Row[str, str, bytes | None, str]) -> Member:
    return {
        "id": row.id,
        "email": row.email,
        "role": row.role,
        "second_factor": row.second_factor is not None,
    }


def ticket_shape(ticket: Ticket) -> Invited:
    """Return the invitation with its link, which is shown only once."""
    return {
        "id": ticket.id,
        "email": ticket.email,
        "role": str(ticket.role),
        "by": ticket.by,
        "at": utc_stamp(ticket.at),
        "until": utc_stamp(ticket.expires_at),
    }
