"""The models of a site: list them, choose the live one, go back. Workers use a change from their
next batch on.
"""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.classifier.site_card import SiteCard, Version
from models.json_types import OneOf
from models.judgement.scores import SCORES, SPAM
from models.records import Comment, SiteModelRecord, SiteScore
from models.records.site_score import KEPT, WATCHING, WENT_BACK, Held
from models.settling.site_scores import live_model, locked_score, make_live
from service.moderation.log import note_act

BASE = "base"


class ModelCard(SiteCard):
    """A model's card, and whether the model is live."""

    live: bool


class Models(TypedDict):
    """The live model, and all stored models of one score, newest first.

    `learns` is whether the site's models are trained. `watched` is what the first comments since a
    change of model showed, compared with what was announced.
    """

    score: Annotated[str, OneOf(SCORES)]
    live: Version
    learns: bool
    watch: Annotated[str, OneOf((WATCHING, KEPT, WENT_BACK))] | None
    announced: Held | None
    watched: Held | None
    models: list[ModelCard]


class NoSuchModel(ValueError):
    """Raised if there is no such model, or no earlier one to go back to. The message says which."""


def listed(session: Session, site_id: int, score: str = SPAM) -> Models:
    """Return the live version, and every stored model with its card, newest first."""
    in_use = _in_use(session, site_id, score)
    rows = session.execute(_of(site_id, score).order_by(SiteModelRecord.id.desc())).all()
    version = next((row.version for row in rows if row.id == in_use.model), BASE)
    cards: list[Any] = [
        {"score": score, **row.card, "live": row.id == in_use.model} for row in rows
    ]
    return {
        "score": score,
        "live": version,
        "learns": in_use.learns,
        "watch": in_use.watch,
        "announced": in_use.announced,
        "watched": in_use.watched,
        "models": cards,
    }


def live(session: Session, site_id: int, score: str = SPAM) -> str:
    """Return the version of the model that scores the site's comments."""
    model = live_model(session, site_id, score)
    row = session.execute(_of(site_id, score).where(SiteModelRecord.id == model)).one_or_none()
    return row.version if row else BASE


def use(session: Session, site_id: int, version: str, score: str = SPAM) -> str:
    """Make that model live; "base" is the base model alone. Raises NoSuchModel."""
    in_use = locked_score(session, site_id, score)
    if version == BASE:
        make_live(in_use, None)
        return BASE
    named = _of(site_id, score).where(SiteModelRecord.version == version)
    row = session.execute(named).one_or_none()
    if row is None:
        raise NoSuchModel(f"This site has no model {version!r}, or the model has been deleted.")
    make_live(in_use, row.id)
    return version


def back(session: Session, site_id: int, score: str = SPAM) -> str:
    """Make the previous model live again, and return its version. Raises NoSuchModel."""
    in_use = locked_score(session, site_id, score)
    if in_use.model is None:
        raise NoSuchModel("This site uses only the base model, so there is no earlier model.")
    of_site = _of(site_id, score)
    live = session.execute(of_site.where(SiteModelRecord.id == in_use.model)).one()
    before = session.execute(of_site.where(SiteModelRecord.id == live.parent)).one_or_none()
    make_live(in_use, before.id if before else None)
    return before.version if before else BASE


def set_learning(session: Session, site_id: int, *, learns: bool, by: str) -> None:
    """Turn learning on or off for all scores of the site, and log it if that changes anything."""
    rows = [locked_score(session, site_id, score) for score in SCORES]
    if all(row.learns is learns for row in rows):
        return
    for row in rows:
        row.learns = learns
    what = f"turned learning {'on' if learns else 'off'}"
    note_act(session, by, "settings", what, site_id=site_id)


def excerpts_of(session: Session, card: ModelCard) -> dict[str, str]:
    """Return the beginning of each example in the card that was not erased, by comment."""
    traffic = card.get("traffic")
    wanted = select(Comment.id, Comment.body).where(
        Comment.id.in_(traffic["examples"] if traffic else []), Comment.erased_at.is_(None)
    )
    return {
        id_: f"{body[:120]}…" if len(body) > 120 else body for id_, body in session.execute(wanted)
    }


def _in_use(session: Session, site_id: int, score: str) -> SiteScore:
    found = session.get(SiteScore, (site_id, score))
    return found or SiteScore(site_id=site_id, score=score, learns=True)


def _of(site_id: int, score: str) -> Select[Any]:
    """Select the models without their bytes."""
    columns: tuple[Any, ...] = (
        SiteModelRecord.id,
        SiteModelRecord.version,
        SiteModelRecord.parent,
        SiteModelRecord.card,
    )
    return select(*columns).where(
        SiteModelRecord.site_id == site_id, SiteModelRecord.score == score
    )
