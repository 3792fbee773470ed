"""The models of a site: list them, choose the live one, go back. Workers use a change from their
next batch on.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.classifier.site_card import SiteCard, Version
from models.records import Site, SiteModelRecord

BASE = "base"


class ModelCard(SiteCard):
    """A model's card, and whether the model is live."""

    live: bool


class Models(TypedDict):
    """The live model, and all stored models, newest first."""

    live: Version
    models: list[ModelCard]


class NoSuchModel(ValueError):
    """Raised if there is no such model, or no earlier one to go back to. The message says which."""


def listed(session: Session, site_id: int) -> Models:
    """Return the live version, and every stored model with its card, newest first."""
    live = session.execute(select(Site.model).where(Site.id == site_id)).scalar_one()
    rows = session.execute(_of(site_id).order_by(SiteModelRecord.id.desc())).all()
    in_use = next((row.version for row in rows if row.id == live), BASE)
    cards: list[Any] = [{**row.card, "live": row.id == live} for row in rows]
    return {"live": in_use, "models": cards}


def live(session: Session, site_id: int) -> str:
    """Return the version of the model that scores the site's comments."""
    its_own = _of(site_id).join(Site, Site.model == SiteModelRecord.id)
    row = session.execute(its_own).one_or_none()
    return row.version if row else BASE


def use(session: Session, site_id: int, version: str) -> str:
    """Make that model live; "base" is the base model alone. Raises NoSuchModel."""
    site = _locked(session, site_id)
    if version == BASE:
        site.model = None
        return BASE
    row = session.execute(_of(site_id).where(SiteModelRecord.version == version)).one_or_none()
    if row is None:
        raise NoSuchModel(f"This site has no model {version!r}, or the model has been deleted.")
    site.model = row.id
    return version


def back(session: Session, site_id: int) -> str:
    """Make the previous model live again, and return its version. Raises NoSuchModel."""
    site = _locked(session, site_id)
    if site.model is None:
        raise NoSuchModel("This site uses only the base model, so there is no earlier model.")
    live = session.execute(_of(site_id).where(SiteModelRecord.id == site.model)).one()
    before = session.execute(_of(site_id).where(SiteModelRecord.id == live.parent)).one_or_none()
    site.model = before.id if before else None
    return before.version if before else BASE


def _locked(session: Session, site_id: int) -> Site:
    return session.execute(
        select(Site).where(Site.id == site_id).with_for_update(key_share=True)
    ).scalar_one()


def _of(site_id: int) -> Select[Any]:
    """Select the models without their bytes."""
    columns: tuple[Any, ...] = (
        SiteModelRecord.id,
        SiteModelRecord.version,
        SiteModelRecord.parent,
        SiteModelRecord.card,
    )
    return select(*columns).where(SiteModelRecord.site_id == site_id)
