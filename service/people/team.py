"""Who may do what on a site: its people, their roles, inviting and removing them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Membership, Moderator, Site, Ticket
from models.store.database import now
from models.text.stamps import utc_stamp
from service.http.api_types import Email, Id, OneOf, Time
from service.http.problems import Problem
from service.moderation.log import note_act
from service.people.names import ROLES


class Member(TypedDict):
    """Someone with a role on the site."""

    id: Id
    email: Email
    role: Annotated[str, OneOf(ROLES)]
    second_factor: bool


class Invited(TypedDict):
    """An invitation that nobody has accepted yet. Its link is shown only when it is made."""

    email: Email
    role: Annotated[str, OneOf(ROLES)]
    by: Annotated[str, Field(examples=["moderator:0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10"])]
    at: Time
    until: Time


def members(site_id: int) -> Select[str, str, bytes | None, str]:
    """Id, email, second factor and role of everyone on the site, in the order of their emails."""
    rows = select(Moderator.id, Moderator.email, Moderator.second_factor, Membership.role)
    rows = rows.join(Membership, Membership.moderator_id == Moderator.id)
    return rows.where(Membership.site_id == site_id).order_by(Moderator.email)


def invited(site_id: int) -> Select[Ticket]:
    """The invitations that still work."""
    open_ones = select(Ticket).where(Ticket.site_id == site_id, Ticket.kind == "invitation")
    return open_ones.where(Ticket.used_at.is_(None), Ticket.expires_at > now()).order_by(Ticket.at)


def set_role(
    session: Session, site_id: int, moderator_id: str, role: str | None, *, by: str
) -> str:
    """Give someone another role, or remove them from the site with None. Returns their email.

    Raises 404 for someone who is not of the site, and 409 for the last owner.
    """
    # The lock on the site makes two owners who remove each other take turns: one of them stays.
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update()).one()
    member = session.get(Membership, (moderator_id, site_id)) if is_id(moderator_id) else None
    if member is None:
        raise Problem(404, "They are not of this site.")
    if member.role == "owner" and role != "owner" and _owners(session, site_id) == 1:
        raise Problem(409, "A site needs an owner: make someone else one first.")
    email = session.execute(
        select(Moderator.email).where(Moderator.id == moderator_id)
    ).scalar_one()
    if role is None:
        theirs = (Membership.moderator_id == moderator_id) & (Membership.site_id == site_id)
        session.execute(delete(Membership).where(theirs))
    else:
        member.role = role
    note_act(
        session,
        by,
        "people",
        f"made {email} {role}" if role else f"removed {email}",
        site_id=site_id,
    )
    return email


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
    """The link is shown once, when it is made."""
    return {
        "email": ticket.email,
        "role": str(ticket.role),
        "by": ticket.by,
        "at": utc_stamp(ticket.at),
        "until": utc_stamp(ticket.expires_at),
    }
