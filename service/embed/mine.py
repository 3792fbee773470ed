"""The page of a reader's own comments: to see, download and delete them, without an account and
without JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from flask import Response, abort, render_template, request
from pydantic import BaseModel, ConfigDict

from models.identifiers import is_id
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
from service.readers.mine import (
    MOST_RECEIPTS,
    Asker,
    all_own_comments,
    erase_reader,
    own_comments,
    own_ids,
)
from service.sites.lookup import SiteInfo, find_site

MOST_BYTES = 64 * 1024
ROUTE = "/sites/<site_key>/mine"


class Asked(BaseModel):
    """Whose comments, and what to do with them: "show", "export" or "erase". A form also asks to
    "follow" or "unfollow" a thread. `before` asks for the comments older than the one with this
    id.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    receipts: list[str] = []
    identity: str | None = None
    do: str = "show"
    thread: str = ""
    before: str | None = None


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
    asker = Asker(site.id, asked.receipts, identity and identity.reader_id)
    if asked.do == "export":
        return shared(site, _export(site, asker))
    if asked.do == "erase":
        return _erase(site, asker, asked, is_form=is_form)
    with reading() as session:
        found = own_ids(session, asker, asked.before if is_id(asked.before or "") else None)
        comments: list[Any] = list(own_comments(session, found.ids))
    if not is_form:
        body = {"site": site.key, "comments": comments, "next": found.next}
        return shared(site, json_response(body, headers=PRIVATE))
    if identity:
        change_following(site, identity, asked.thread, asked.do)
    return _page(
        site,
        comments,
        asked.receipts,
        asked.identity,
        who=identity,
        is_sure=asked.do == "ask" and bool(comments),
        older=found.next,
    )


def _erase(site: SiteInfo, asker: Asker, asked: Asked, *, is_form: bool) -> Response:
    """Erase the newest comments, and after the last ones the reader. A form that left some is asked
    again, because one request may take only so long.
    """
    with reading() as session:
        found = own_ids(session, asker)
    for id_ in found.ids:
        owning.delete(id_)
    is_all = found.next is None
    if asker.reader_id and is_all:  # otherwise the identity finds the rest
        erase_reader(asker.reader_id)
    if not is_form:
        body = {"erased": found.ids, "more": not is_all}
        return shared(site, json_response(body, headers=PRIVATE))
    if is_all:
        return _page(site, [], [], None, is_erased=True)
    return _page(site, [], asked.receipts, asked.identity, is_sure=True)


def _export(site: SiteInfo, asker: Asker) -> Response:
    """Stream all comments as a file, so that a long history needs little memory."""

    def parts() -> Iterator[bytes]:
        yield b'{"site":' + orjson.dumps(site.key) + b',"comments":['
        for nth, comment in enumerate(all_own_comments(asker)):
            yield (b"," if nth else b"") + orjson.dumps(comment)
        yield b"]}"

    answer = Response(parts(), content_type="application/json", headers=PRIVATE)
    answer.headers["Content-Disposition"] = 'attachment; filename="comments.json"'
    return answer


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
        before=form.get("before"),
    )


def _followed(who: Identity) -> Sequence[FollowedThread]:
    with reading() as session:
        return followed(session, who.reader_id)


def _page(  # noqa: PLR0913 — the parts of the page
    site: SiteInfo,
    comments: list[Any] | None,
    receipts: list[str],
    identity: str | None,
    *,
    who: Identity | None = None,
    is_sure: bool = False,
    is_erased: bool = False,
    older: str | None = None,
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
        older=older,
        lang=wished_language(),
        name=site_name(site.key, site.stored_origins),
        mail_choices=who and choices_page(site, who),
        followed=threads,
        followed_keys={thread.key for thread in threads},
    )
    return private_answer(page)
