"""API keys of a site, for its owners: creating, rotating and revoking them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from models.records import ApiKey
from models.store.database import begin, now, reading
from service.console.blueprint import acting, console, looking
from service.console.confirming import Action, sensitive
from service.console.sessions import SignedIn
from service.console.team import check_owner
from service.http.api_keys import LADDER, POST, SITE_SCOPES
from service.http.problems import Problem
from service.people import api_keys
from service.people.names import names_of

MAY = {
    "read": "read events",
    "moderate": "read events and moderate",
    "admin": "do everything, including managing settings, people and keys",
    "": "only post comments (tick the box below)",
}
LIVES = {"30": "In 30 days", "90": "In 90 days", "365": "In 1 year", "": "Never"}
OVERLAPS = {"24": "In 1 day", "1": "In 1 hour", "168": "In 7 days", "0": "At once"}


@console.get("/sites/<site>/keys")
def keys_page(site: str) -> str:
    who = looking()
    check_owner(who, site)
    return _page(who, site)


def _page(
    who: SignedIn, site: str, *, made: api_keys.Made | None = None, error: str = "", field: str = ""
) -> str:
    """Show all keys of the site. A new key is shown only on this page."""
    with reading() as session:
        rows = api_keys.listed(session, api_keys.site_id_of(session, site))
        names = names_of(session, {row.created_by for row in rows if row.created_by})
    return render_template(
        "console/keys.html",
        who=who,
        site=site,
        live=[row for row in rows if api_keys.state_of(row) == "live"],
        ended=[row for row in rows if api_keys.state_of(row) != "live"],
        names=names,
        label=api_keys.label,
        says=_says,
        made=made,
        error=error,
        wrong=field,
        given=request.form if request.method == "POST" and made is None else {},
        may=MAY,
        lives=LIVES,
        overlaps=OVERLAPS,
    )


def _says(row: ApiKey) -> str:
    """Return what the key may do, in a few words."""
    teaches = ["teaches the models"] if row.learn else []
    return ", ".join([*api_keys.scopes_of(row), *teaches])


def _creating(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    return Action("create an API key", back=_place(site))


def _place(site: str) -> str:
    return f"/console/sites/{site}/keys"


@console.post("/sites/<site>/keys")
@sensitive(_creating)
def create_key(who: SignedIn, site: str) -> str | tuple[str, int]:
    """Create a key and show it. No other page shows it."""
    life = request.form.get("life", "")
    if life not in LIVES:
        raise Problem(422, "Choose when the key expires.")
    expires_at = now() + timedelta(days=int(life)) if life else None
    try:
        with begin() as session:
            learn = "learn" in request.form
            new = api_keys.NewKey(_scopes(), request.form.get("name", ""), expires_at, learn)
            site_id = api_keys.site_id_of(session, site)
            made = api_keys.create(session, site_id, new, by=who.by, within=SITE_SCOPES)
    except Problem as problem:
        (wrong,) = problem.errors
        return _page(who, site, error=wrong["message"], field=wrong["field"]), 422
    return _page(who, site, made=made)


def _scopes() -> Sequence[str]:
    ladder = [scope for scope in LADDER if scope == request.form.get("scope")]
    return [*ladder, POST] if POST in request.form else ladder


def _rotating(who: SignedIn, site: str, key_id: str) -> Action:
    check_owner(who, site)
    if request.form.get("overlap") not in OVERLAPS:
        raise Problem(422, "Choose how long the old key keeps working.")
    with begin() as session:
        row = api_keys.of_site(session, api_keys.site_id_of(session, site), key_id)
        return Action(f"rotate the API key {api_keys.label(row)}", back=_place(site))


@console.post("/sites/<site>/keys/<key_id>/rotate")
@sensitive(_rotating)
def rotate_key(who: SignedIn, site: str, key_id: str) -> str:
    """Replace a key and show the new one. No other page shows it."""
    overlap = timedelta(hours=int(request.form["overlap"]))
    with begin() as session:
        row = api_keys.of_site(session, api_keys.site_id_of(session, site), key_id)
        made = api_keys.rotate(session, row, by=who.by, overlap=overlap, within=SITE_SCOPES)
    return _page(who, site, made=made)


@console.post("/sites/<site>/keys/<key_id>/revoke")
def revoke_key(site: str, key_id: str) -> BaseResponse:
    """Revoke a key at once and without the password, because a leaked key must stop working
    soon.
    """
    who = acting()
    check_owner(who, site)
    with begin() as session:
        row = api_keys.of_site(session, api_keys.site_id_of(session, site), key_id)
        api_keys.revoke(session, row, by=who.by)
    return redirect(_place(site), 303)
