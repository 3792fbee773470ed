"""The pages on which a reader confirms an email address, without JavaScript.

The page that shows the code reloads by itself. Once the address is confirmed, it leads on with the
reader's key in a hidden field, because there is no cookie.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from models.locales.words import Words, words_for
from models.mailing.letter import site_name
from models.mailing.smtp import can_send
from service.embed.blueprint import embed, private_answer, wished_language
from service.http import limits
from service.http.addresses import reader
from service.http.form_tokens import issue_form_token, read_form_token
from service.readers import proving
from service.sites.lookup import SiteInfo, find_site

MOST_THREAD = 500  # characters


@embed.get("/sites/<site_key>/confirm")
def ask_page(site_key: str) -> Response:
    """Show the form for an address. `?thread=KEY` names the thread to return to."""
    site = find_site(site_key) or abort(404)
    if not can_send():
        abort(404)
    return _ask(site, {}, "")


@embed.post("/sites/<site_key>/confirm")
def ask(site_key: str) -> BaseResponse:
    """Send the link, and lead to the page with the code."""
    site = find_site(site_key) or abort(404)
    fields = request.form.to_dict()
    if too_fast := limits.count_mailing("proof", site.key, reader()):
        raise too_fast
    if read_form_token(site.key, fields.get("token"), honeypot=False).token != "valid":
        return _ask(site, fields, _words(site).embed["failed"], status=422)
    try:
        said = proving.NewProof.model_validate(
            {"email": fields.get("email", ""), "name": fields.get("name", "")}
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        is_ours = wrong["type"] == "value_error"
        shown = str(wrong["ctx"]["error"]) if is_ours else _words(site).embed["wrong"]
        return _ask(site, fields, shown, status=422)
    asked = proving.ask(site, said)
    place = url_for("embed.code_page", site_key=site.key, confirmation=asked.secret, **_kept())
    return redirect(place, 303)


@embed.get("/sites/<site_key>/confirm/<confirmation>")
def code_page(site_key: str, confirmation: str) -> Response:
    """Show the code until it was entered behind the link; then lead on with the reader's key."""
    site = find_site(site_key) or abort(404)
    if too_fast := limits.count_mailing("proof key", site.key, reader()):
        raise too_fast
    claimed = proving.claim(site, confirmation)
    return _page(
        "embed/confirm_code.html",
        site,
        claimed=claimed,
        code=proving.code_of(confirmation),
        again=url_for("embed.ask_page", site_key=site.key, **_kept()),
        thread=_kept().get("thread"),
    )


@embed.get("/sites/<site_key>/confirm/link/<link>")
def link_page(site_key: str, link: str) -> Response:
    """Ask for the code. Opening the link confirms nothing, so a link scanner confirms nothing."""
    site = find_site(site_key) or abort(404)
    return _link(site, "open" if proving.is_open(site, link) else "ended")


@embed.post("/sites/<site_key>/confirm/link/<link>")
def enter_code(site_key: str, link: str) -> Response:
    site = find_site(site_key) or abort(404)
    if too_fast := limits.count_mailing("proof key", site.key, reader()):
        raise too_fast
    return _link(site, proving.confirm(site, link, request.form.get("code", "")))


def _link(site: SiteInfo, outcome: str) -> Response:
    statuses = {"ended": 404, "wrong": 422}
    status = statuses.get(outcome, 200)
    return _page("embed/confirm_link.html", site, status=status, outcome=outcome)


def _ask(site: SiteInfo, fields: dict[str, str], error: str, *, status: int = 200) -> Response:
    return _page(
        "embed/confirm.html",
        site,
        status=status,
        fields=fields,
        error=error,
        token=issue_form_token(site.key),
        action=url_for("embed.ask", site_key=site.key, **_kept()),
    )


def _page(template: str, site: SiteInfo, *, status: int = 200, **values: object) -> Response:
    name = site_name(site.key, site.stored_origins)
    page = render_template(template, words=_words(site), site=site, name=name, **values)
    return private_answer(page, status=status)


def _words(site: SiteInfo) -> Words:
    return words_for(wished_language(), site.locale)


def _kept() -> dict[str, Any]:
    """Return the parameters that every page passes on to the next."""
    kept = {"thread": request.args.get("thread", "")[:MOST_THREAD], "lang": wished_language() or ""}
    return {name: value for name, value in kept.items() if value}
