"""News about the queue, shown above it with an undo until the moderator has read it."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.records import Moderator, Site
from models.store.database import begin, now
from models.text.numbers import digits_to_int
from service.console.blueprint import acting, console, way_back
from service.console.sessions import SignedIn
from service.console.team import check_owner
from service.http.problems import Problem
from service.moderation.log import note_act
from service.moderation.news import News, news, policy_to_go_back_to
from service.sites import model_versions
from service.sites.model_versions import NoSuchModel
from service.sites.policies import save_policy

READ = "news_read"  # in the moderator's preferences: until when they read the news


def told_to(session: Session, who: SignedIn, sites: dict[int, str]) -> list[News]:
    kept = (
        session.execute(
            select(Moderator.preferences).where(Moderator.id == who.moderator_id)
        ).scalar()
        or {}
    )
    return news(session, list(sites), reader=who.by, since=_moment(kept.get(READ)))


def _moment(kept: object) -> datetime | None:
    return datetime.fromisoformat(kept) if isinstance(kept, str) else None


@console.post("/news/read")
def read_news() -> BaseResponse:
    who = acting()
    with begin() as session:
        moderator = session.get_one(Moderator, who.moderator_id)
        moderator.preferences = {**(moderator.preferences or {}), READ: now().isoformat()}
    return redirect(way_back(), 303)


@console.post("/settings/<site>/back")
def settings_back(site: str) -> BaseResponse:
    """Save the settings from before the version in the news as a new version."""
    who = acting()
    check_owner(who, site)
    version = digits_to_int(request.form.get("version"))
    if version is None:
        raise Problem(422, "Choose the settings version to undo.")
    with begin() as session:
        row = session.execute(
            select(Site).where(Site.key == site).with_for_update(key_share=True)
        ).scalar_one()
        policy = policy_to_go_back_to(session, row, version)
        save_policy(session, site, policy, version=version, by=who.by)
    return redirect(f"/console/settings?site={site}", 303)


@console.post("/sites/<site>/models/back")
def model_back(site: str) -> BaseResponse:
    """Go back to the model before the live one, if the live one is the one in the news."""
    who = acting()
    check_owner(who, site)
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        live = model_versions.live(session, site_id)
        if live != request.form.get("version", live):
            raise Problem(409, "Another model is live now. Reload the page.")
        try:
            version = model_versions.back(session, site_id)
        except NoSuchModel as error:
            raise Problem(409, str(error)) from None
        what = f"went back from the spam model {live} to {version}"
        note_act(session, who.by, "settings", what, site_id=site_id)
    return redirect("/console/", 303)
