"""Links that work once: an invitation to a site, and a new password. Printed or mailed."""

from __future__ import annotations

import hashlib
import secrets as random
from datetime import timedelta

from sqlalchemy import select, update

from models.records import ConsoleSession, Membership, Moderator, Site, Ticket
from models.settling.actor import Actor
from models.store.database import begin, now, reading
from service.http.listening import public_url
from service.moderation.log import note_act
from service.people import accounts

LASTS = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}


def invite(email: str, site: str, role: str, *, by: str) -> str:
    """Make an invitation and return its link. Raises ValueError for a wrong address or site."""
    email = accounts.checked_email(email)
    with reading() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar()
    if site_id is None:
        raise ValueError(f"There is no site {site!r}.")
    return _make("invitation", email, by=by, site_id=site_id, role=role)


def reset(email: str, *, by: str) -> str:
    """Return a link to choose a new password. Raises ValueError for an unknown account."""
    email = email.strip().lower()
    with reading() as session:
        if session.execute(select(Moderator.id).where(Moderator.email == email)).scalar() is None:
            raise ValueError(f"There is no account {email}.")
    return _make("reset", email, by=by)


def _make(
    kind: str, email: str, *, by: str, site_id: int | None = None, role: str | None = None
) -> str:
    token = random.token_urlsafe(32)
    expires_at = now() + LASTS[kind]
    with begin() as session:
        session.add(
            Ticket(
                hash=_hash(token),
                kind=kind,
                email=email,
                site_id=site_id,
                role=role,
                by=by,
                expires_at=expires_at,
            )
        )
        if kind == "invitation":
            note_act(session, by, "people", f"invited {email} as {role}", site_id=site_id)
    return f"{public_url()}/console/join/{token}"


def find(token: str) -> Ticket | None:
    """The ticket of this link, if it still works."""
    works = (Ticket.hash == _hash(token)) & Ticket.used_at.is_(None) & (Ticket.expires_at > now())
    with reading() as session:
        return session.execute(select(Ticket).where(works)).scalar_one_or_none()


def is_new_account(ticket: Ticket) -> bool:
    with reading() as session:
        return (
            session.execute(select(Moderator.id).where(Moderator.email == ticket.email)).scalar()
            is None
        )


def use(token: str, password: str) -> bool:
    """Do what the link is for. Returns False if it was used meanwhile, and raises ValueError for a
    password that is too short.

    Someone with an account joins one more site with the password they have.
    """
    ticket = find(token)
    if ticket is None:
        return False
    sets_password = ticket.kind == "reset" or is_new_account(ticket)
    hashed = accounts.hashed(password, email=ticket.email) if sets_password else None
    with begin() as session:
        unused = (Ticket.hash == ticket.hash) & Ticket.used_at.is_(None)
        if (
            session.execute(
                update(Ticket).where(unused).values(used_at=now()).returning(Ticket.hash)
            ).first()
            is None
        ):
            return False
        moderator = session.execute(
            select(Moderator).where(Moderator.email == ticket.email)
        ).scalar_one_or_none()
        if moderator is None:
            moderator = Moderator(email=ticket.email, password_hash=hashed or "")
            session.add(moderator)
            session.flush()
        if hashed:
            moderator.password_hash, moderator.must_change_password = hashed, False
        by = str(Actor.moderator(moderator.id))
        if ticket.kind == "reset":
            session.query(ConsoleSession).filter(
                ConsoleSession.moderator_id == moderator.id
            ).delete()
            note_act(session, by, "people", "chose a new password by a link")
        if ticket.site_id is not None and ticket.role is not None:
            session.merge(
                Membership(moderator_id=moderator.id, site_id=ticket.site_id, role=ticket.role)
            )
            note_act(session, by, "people", f"joined as {ticket.role}", site_id=ticket.site_id)
    return True


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
