"""The page of a reader's own comments: to see, download and delete them, without an account and
without JavaScript.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, render_template, request
from pydantic import BaseModel, ConfigDict

from models.locales.words import words_for
from models.mailing.letter import site_name
from models.store.database import reading
from service.comments import owning
from service.embed.blueprint import embed, private_answer, wished_language
from service.embed.mail import choices_page
from service.http import limits, sharing
from service.http.addresses import reader
from service.http.requests import FORM, body_as
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site
from service.readers.following import FollowedThread, change_following, followed
from service.readers.identity import Identity, identify
from service.readers.mine import MOST_RECEIPTS, erase_reader, own_comments, own_ids
from service.sites.lookup import SiteInfo, find_site

MOST_BYTES = 64 * 1024
ROUTE = "/sites/<site_key>/mine"


class Asked(BaseModel):
    """Whose comments, and what to do with them: "show", "export" or "erase". A form also asks to
    "follow" or "unfollow" a thread.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    receipts: list[str] = []
    identity: str | None = None
    do: str = "show"
    thread: str = ""


@embed.get(ROUTE)
def ask_for_mine(site_key: str) -> Response:
    site = find_site(site_key) or abort(404)
    return _page(site, None, [], None)


@embed.post(ROUTE)
def show_mine(site_key: str) -> Response:
    """Show, export or erase the comments of the receipts and the identity in the body, which is a
    form or JSON. JSON is answered with JSON. A form can also follow a thread or stop following it.
    """
    site = wanted_site(site_key)
    if too_fast := limits.count_change(reader()):
        raise too_fast
    request.max_content_length = MOST_BYTES
    is_form = request.mimetype == FORM
    asked = _asked() if is_form else body_as(Asked)
    identity = identify(site, asked.identity)
    with reading() as session:
        ids = own_ids(session, site.id, asked.receipts, identity and identity.reader_id)
    if asked.do == "erase":
        for id_ in ids:
            owning.delete(id_)
        if identity and len(ids) < MOST_RECEIPTS:  # otherwise the identity finds the rest
            erase_reader(identity.reader_id)
        return _page(site, [], [], None, is_erased=True) if is_form else _erased(site, ids)
    with reading() as session:
        comments: list[Any] = list(own_comments(session, ids))
    if asked.do == "export" or not is_form:
        answer = json_response({"site": site.key, "comments": comments}, headers=PRIVATE)
        if asked.do == "export":
            answer.headers["Content-Disposition"] = 'attachment; filename="comments.json"'
        return shared(site, answer)
    if identity:
        change_following(site, identity, asked.thread, asked.do)
    is_sure = asked.do == "ask"
    return _page(site, comments, asked.receipts, asked.identity, who=identity, is_sure=is_sure)


@embed.route(ROUTE, methods=["OPTIONS"])
def preflight_of_mine(site_key: str) -> Response:
    return sharing.preflight(wanted_site(site_key), "POST")


def _asked() -> Asked:
    form = request.form
    typed = [line.strip() for line in form.get("receipts", "").splitlines() if line.strip()]
    receipts = [*form.getlist("receipt"), *typed][:MOST_RECEIPTS]
    return Asked(
        receipts=receipts,
        identity=form.get("identity") or None,
        do=form.get("do", "show"),
        thread=form.get("thread", ""),
    )


def _followed(who: Identity) -> Sequence[FollowedThread]:
    with reading() as session:
        return followed(session, who.reader_id)


def _erased(site: SiteInfo, ids: list[str]) -> Response:
    return shared(site, json_response({"erased": ids}, headers=PRIVATE))


def _page(  # noqa: PLR0913 — the parts of the page
    site: SiteInfo,
    comments: list[Any] | None,
    receipts: list[str],
    identity: str | None,
    *,
    who: Identity | None = None,
    is_sure: bool = False,
    is_erased: bool = False,
) -> Response:
    threads = _followed(who) if who else []
    page = render_template(
        "embed/mine.html",
        words=words_for(wished_language(), site.locale),
        site=site,
        comments=comments,
        receipts=receipts,
        identity=identity,
        is_sure=is_sure,
        is_erased=is_erased,
        lang=wished_language(),
        name=site_name(site.key, site.stored_origins),
        mail_choices=who and choices_page(site, who),
        followed=threads,
        followed_keys={thread.key for thread in threads},
    )
    return private_answer(page)
