"""What is done in the console beside deciding leaves a line in the log, in the transaction that does it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.records import Act
from service.console.sessions import SignedIn


def note_act(session: Session, who: SignedIn, kind: str, what: str, *, site_id: int | None = None) -> None:
    """`what` is a sentence without its subject: "closed the thread “/harbour”"."""
    session.add(Act(site_id=site_id, by=who.by, kind=kind, what=what))
