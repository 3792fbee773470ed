"""What is done beside deciding leaves a line in the log, in the transaction that does it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.records import Act


def note_act(
    session: Session, by: str, kind: str, what: str, *, site_id: int | None = None
) -> None:
    """`by` as in the decision log; `what` is a sentence without its subject: "closed the thread
    “/harbour”".
    """
    session.add(Act(site_id=site_id, by=by, kind=kind, what=what))
