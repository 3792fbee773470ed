"""Who may do what on a site: its people, their roles, inviting and removing them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Membership, Moderator, Site, Ticket
from models.store.database import now
from models.text.stamps import utc_stamp
from service.http.problems import Problem
from service.http.shapes import Email, Id, OneOf, Time
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


def members(site_id: int) -> Select[Any]:
    columns: list[Any] = [Moderator.id, Moderator.email, Moderator.second_factor, Membership.role]
    wanted = select(*columns)
    wanted = wanted.join(Membership, Membership.moderator_id == Moderator.id)
    return wanted.where(Membership.site_id == site_id).order_by(Moderator.email)


def invited(site_id: int) -> Select[Ticket]:
    """Whose invitation still works."""
    open_ones = select(Ticket).where(Ticket.site_id == site_id, Ticket.kind == "invitation")
    return open_ones.where(Ticket.used_at.is_(None), Ticket.expires_at > now()).order_by(Ticket.at)


def set_role(
    session: Session, site_id: int, moderator_id: str, role: str | None, *, by: str
) -> str:
    """Another role, or none: then they are out, at once and everywhere on this site. Answers their
    email.

    Raises 404 for someone who is not of the site, 409 where it would be left without an owner.
    """
    # The site's row is held: of two owners who remove each other at once, the second finds nobody
    # left to ask.
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


def member_shape(row: Any) -> Member:
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


def letter(inviting: str, site: str, link: str) -> tuple[str, str]:
    """An invitation's subject and text."""
    text = (
        f"{inviting} invites you to moderate the comments of {site}.\n\n{link}\n\nThe "
        "link works for a week, once."
    )
    return f"Moderate the comments of {site}", text
