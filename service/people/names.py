"""Names for those who decide, as other moderators know them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Moderator

MODERATOR = "moderator:"
ROLES = ("viewer", "moderator", "owner")  # each may do what those before it may


def names_of(session: Session, bys: Iterable[str]) -> dict[str, str]:
    """ "moderator:ID" and the like as people say it: an email, "a program", "the policy"."""
    wanted = set(bys)
    ids = [
        id_
        for by in wanted
        if by.startswith(MODERATOR) and is_id(id_ := by.removeprefix(MODERATOR))
    ]
    wanted_ones = select(Moderator.id, Moderator.email).where(Moderator.id.in_(ids))
    emails = dict(session.execute(wanted_ones).all()) if ids else {}
    return {by: emails.get(by.removeprefix(MODERATOR)) or _other(by) for by in wanted}


def _other(by: str) -> str:
    if by == "policy":
        return "Greenroom"
    if by.startswith(MODERATOR):
        return "someone who left"
    return "a program" if by.startswith("key:") else by
