"""Which links work: one per purpose and person, until something ends it.

| after this | these links to the person end |
|---|---|
| a new link is made | older ones with the same purpose: a reset, an invitation to that site |
| a link is used | that one, and what the change below ends |
| the password changes | all, and those to a new address that they asked for |
| their email address changes | all to the old address, and those to another new one |
| they join a site, get another role on it, or leave it | resets, and invitations to that site |
| they are no longer an owner of a site | also the invitations to it that they made |

Each function runs in the transaction that makes the change, so no link outlives it. A link that
has ended has no row.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from models.records import Moderator, Ticket
from models.settling.actor import Actor
from models.store.database import now


def works() -> ColumnElement[bool]:
    """Return the condition for rows of links that work. The previous release marks a used link
    instead of deleting it.
    """
    return Ticket.used_at.is_(None) & (Ticket.expires_at > now())


def void_resets(session: Session, email: str) -> None:
    session.execute(delete(Ticket).where(Ticket.kind == "reset", Ticket.email == email))


def void_invitations(session: Session, email: str, *, site_id: int) -> None:
    session.execute(delete(Ticket).where(Ticket.email == email, Ticket.site_id == site_id))


def void_new_addresses(session: Session, moderator_id: str) -> None:
    """End the links that confirm a new address of this account."""
    theirs = Ticket.by == str(Actor.moderator(moderator_id))
    session.execute(delete(Ticket).where(Ticket.kind == "address", theirs))


def password_changed(session: Session, email: str) -> None:
    """End the person's links, so that a thief who has read their mailbox can no longer use them."""
    session.execute(delete(Ticket).where(Ticket.email == email))
    moderator_id = session.scalar(select(Moderator.id).where(Moderator.email == email))
    if moderator_id is not None:
        void_new_addresses(session, moderator_id)


def address_changed(session: Session, old: str, moderator_id: str) -> None:
    session.execute(delete(Ticket).where(Ticket.email == old))
    void_new_addresses(session, moderator_id)


def role_changed(
    session: Session, email: str, moderator_id: str, *, site_id: int, role: str | None
) -> None:
    """End links after a change of role. Call this for everyone who joins a site, gets another role,
    or leaves it (no role).
    """
    void_resets(session, email)
    void_invitations(session, email, site_id=site_id)
    if role != "owner":
        made_by_them = Ticket.by == str(Actor.moderator(moderator_id))
        session.execute(delete(Ticket).where(made_by_them, Ticket.site_id == site_id))
