"""Dismiss a notice of illegal content in the console."""

from __future__ import annotations

from flask import redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.records import Notice, Site
from models.settling.objecting import dismiss_notice
from models.store.database import begin
from models.text.cleaning import MOST_TIMES, clean
from service.console import item as items
from service.console.blueprint import acting, console, way_back
from service.http.problems import Problem
from service.moderation.deciding import MOST_NOTE, publish_soon
from service.moderation.objections import note_dismissal


@console.post("/notices/<notice_id>/dismiss")
def dismiss_by_form(notice_id: str) -> BaseResponse:
    """Close a notice without a decision on its comment; the answer goes to the person who sent
    it.
    """
    who = acting()
    answer = _answer()
    with begin() as session:
        wanted = select(Notice.comment_id, Site.key, Site.id).join(Site, Site.id == Notice.site_id)
        wanted = wanted.where(Notice.id == items.known(notice_id))
        row = session.execute(wanted).one_or_none()
        if row is None or row.key not in who.sites:
            raise Problem(404, "There is no such notice.")
        items.check_may(who, row.key, "moderator")
        settled = dismiss_notice(session, notice_id, by=who.actor, answer=answer)
        if settled is None:
            raise Problem(409, "This notice is closed already.")
        note_dismissal(session, who.by, row.id)
    publish_soon(settled)
    return redirect(way_back(item=row.comment_id), 303)


def _answer() -> str:
    given = request.form.get("answer", "")[: MOST_NOTE * MOST_TIMES]
    try:
        return clean(given, MOST_NOTE)
    except ValueError as error:
        raise Problem(422, str(error)) from None
