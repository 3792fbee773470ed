"""Names of moderators, keys and Greenroom, as other moderators know them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import ApiKey, Moderator
from models.settling.actor import AUTHOR, AUTHOR_NAME, POLICY, POLICY_NAME, Actor, ActorShape

MODERATOR, KEY = "moderator:", "key:"
ROLES = ("viewer", "moderator", "owner")  # each role includes those before it


def names_of(session: Session, bys: Iterable[str]) -> dict[str, str]:
    """Return names for "moderator:ID" and the like: an email, a key's name, "Greenroom"."""
    wanted = set(bys)
    known = _known_names(session, wanted)
    return {by: known.get(by) or _other(by) for by in wanted}


def actors_of(session: Session, bys: Iterable[str]) -> dict[str, ActorShape | None]:
    """Return the type, id and name of each, for programs; None for those that are not actors, such
    as the command line.
    """
    wanted = set(bys)
    known = _known_names(session, wanted)
    return {by: _actor(by, known.get(by, "")) for by in wanted}


def _actor(by: str, name: str) -> ActorShape | None:
    try:
        actor = Actor.parse(by)
    except ValueError:
        return None
    return actor.shape(name) if actor in {POLICY, AUTHOR} or is_id(actor.id) else None


def _known_names(session: Session, bys: Collection[str]) -> dict[str, str]:
    """Return the emails of moderators and the names of keys. It queries the database only for
    these.
    """
    moderators, keys = _ids(bys, MODERATOR), _ids(bys, KEY)
    names: dict[str, str] = {}
    if moderators:
        emails = select(Moderator.id, Moderator.email).where(Moderator.id.in_(moderators))
        names |= {MODERATOR + id_: email for id_, email in session.execute(emails)}
    if keys:
        named = select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(keys))
        names |= {KEY + id_: name for id_, name in session.execute(named)}
    return names


def _ids(bys: Collection[str], kind: str) -> list[str]:
    ids = (by.removeprefix(kind) for by in bys if by.startswith(kind))
    return [id_ for id_ in ids if is_id(id_)]


def _other(by: str) -> str:
    if by == str(POLICY):
        return POLICY_NAME
    if by == str(AUTHOR):
        return AUTHOR_NAME
    if by.startswith(MODERATOR):
        return "a former moderator"
    return "a program" if by.startswith(KEY) else by
