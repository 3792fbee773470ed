"""A site's own sign-on, for its owners: secrets, public keys, and a place to test a token."""

from __future__ import annotations

from typing import NamedTuple

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from models.store.database import reading
from service.console.blueprint import acting, console, looking
from service.console.confirming import Action, sensitive
from service.console.sessions import SignedIn
from service.console.team import check_owner
from service.http.problems import Problem
from service.people.names import names_of
from service.readers import sign_on
from service.readers.tokens import MOST_TOKEN, Claims, WrongToken, check_token
from service.sites.lookup import SiteInfo, find_site


class Trial(NamedTuple):
    """What the page shows once: a new secret, an error, or the result of a test."""

    secret: str = ""
    error: str = ""
    field: str = ""
    claims: Claims | None = None
    refused: str = ""
    given: sign_on.Settings | None = None


NOTHING = Trial()


@console.get("/sites/<site>/sign-on")
def sign_on_page(site: str) -> str:
    who = looking()
    check_owner(who, site)
    return _page(who, site)


def _page(who: SignedIn, site: str, trial: Trial = NOTHING) -> str:
    site_id = sign_on.site_id_of(site)
    secrets = sign_on.list_secrets(site_id)
    with reading() as session:
        names = names_of(session, {secret.created_by for secret in secrets})
        settings = trial.given or sign_on.settings_of(session, site_id)
    return render_template(
        "console/sign_on.html",
        who=who,
        site=site,
        live=[secret for secret in secrets if secret.revoked_at is None],
        revoked=[secret for secret in secrets if secret.revoked_at],
        names=names,
        settings=settings,
        algorithms=sign_on.ALGORITHMS,
        trial=trial,
        most_token=MOST_TOKEN,
    )


def _changing(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    return Action(f"change how {site} signs its readers in", back=_place(site))


def _place(site: str) -> str:
    return f"/console/sites/{site}/sign-on"


@console.post("/sites/<site>/sign-on")
@sensitive(_changing)
def save_sign_on(who: SignedIn, site: str) -> BaseResponse | tuple[str, int]:
    """Save the algorithms, the JWKS URL and what else a token must have."""
    given = sign_on.Settings(
        jwks_url=request.form.get("jwks_url", "").strip(),
        algorithms=tuple(request.form.getlist("algorithms")),
        is_single_use="single_use" in request.form,
    )
    try:
        sign_on.check_settings(given)
    except Problem as problem:
        (wrong,) = problem.errors
        trial = Trial(error=wrong["message"], field=wrong["field"], given=given)
        return _page(who, site, trial), 422
    sign_on.save_settings(sign_on.site_id_of(site), given, by=who.by)
    return redirect(_place(site), 303)


def _creating(who: SignedIn, site: str) -> Action:
    check_owner(who, site)
    return Action(f"create a sign-on secret for {site}", back=_place(site))


@console.post("/sites/<site>/sign-on/secrets")
@sensitive(_creating)
def create_sign_on_secret(who: SignedIn, site: str) -> str | tuple[str, int]:
    """Create a secret and show it. No other page shows it."""
    try:
        secret = sign_on.create_secret(sign_on.site_id_of(site), by=who.by)
    except Problem as problem:
        return _page(who, site, Trial(error=problem.detail)), problem.status
    return _page(who, site, Trial(secret=secret))


@console.post("/sites/<site>/sign-on/secrets/<kid>/revoke")
def revoke_sign_on_secret(site: str, kid: str) -> BaseResponse:
    """Revoke a secret at once and without the password, because a leaked one must stop working
    soon.
    """
    who = acting()
    check_owner(who, site)
    if not sign_on.revoke_secret(kid, by=who.by, site_id=sign_on.site_id_of(site)):
        raise Problem(404, "There is no such secret, or it was revoked before.")
    return redirect(_place(site), 303)


@console.post("/sites/<site>/sign-on/test")
def test_token(site: str) -> str:
    """Check a token as a comment's would be, without using it up or storing its reader."""
    who = acting()
    check_owner(who, site)
    token = request.form.get("token", "").strip()
    try:
        claims = check_token(_info(site), token, spend=False)
    except WrongToken as error:
        return _page(who, site, Trial(refused=str(error)))
    return _page(who, site, Trial(claims=claims))


def _info(site: str) -> SiteInfo:
    info = find_site(site)
    if info is None:
        raise Problem(404, "There is no such site.")
    return info
