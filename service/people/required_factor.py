"""Whether a site requires a second factor from everyone who works on it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Membership, Moderator, Site
from models.store.database import begin
from service.http.problems import Problem
from service.moderation.log import note_act
from service.people import api_keys


def is_required(session: Session, site_id: int) -> bool:
    return session.execute(
        select(Site.second_factor_required).where(Site.id == site_id)
    ).scalar_one()


def require(
    session: Session, site_id: int, required: bool, *, by: str, owner_id: str | None = None
) -> None:
    """Require a second factor on the site, or no longer. Repeating this changes nothing.

    People without one must then set one up before they see anything of the site. Raises a 409 if
    the owner who turns this on has none, or if no owner has one and a program turns it on.
    """
    site = session.get_one(Site, site_id, with_for_update=True)
    if site.second_factor_required == required:
        return
    if required and not _has_owner_with_factor(session, site_id, owner_id):
        raise Problem(409, _FIRST if owner_id else _NOBODY)
    site.second_factor_required = required
    what = "required a second factor from everyone"
    if not required:
        what = "stopped requiring a second factor"
    note_act(session, by, "people", what, site_id=site_id)


def require_on(site: str, required: bool, *, by: str) -> None:
    """Do the same by the site's key. Raises ValueError for a site that does not exist."""
    with begin() as session:
        require(session, api_keys.site_id_of(session, site), required, by=by)


_FIRST = "Turn on your own second factor first, in your account. Then require it from the others."
_NOBODY = "No owner of this site has a second factor yet. An owner must turn one on first."


def _has_owner_with_factor(session: Session, site_id: int, owner_id: str | None) -> bool:
    owners = select(Moderator.id).join(Membership, Membership.moderator_id == Moderator.id)
    owners = owners.where(Membership.site_id == site_id, Membership.role == "owner")
    owners = owners.where(Moderator.second_factor.is_not(None))
    if owner_id is not None:
        owners = owners.where(Moderator.id == owner_id)
    return session.execute(owners.limit(1)).first() is not None
