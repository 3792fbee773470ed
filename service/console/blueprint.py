"""Shared by all pages of the console: their address, their headers, and who is asking."""

from __future__ import annotations

import hmac
from typing import NoReturn, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from pydantic import BaseModel
from werkzeug.wrappers import Response as BaseResponse

from models.judgement.scores import SCORES
from service.console import alarms, coming_back, sessions
from service.console.coming_back import Kept, OnceMore, SendAgain, SignInFirst
from service.console.sessions import SignedIn
from service.http.body_sizes import CONSOLE_BYTES
from service.http.csp_reports import headers_for
from service.http.problems import Problem
from service.http.requests import body_as

ACCOUNT = "/console/account"
JSON = "application/json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
    "'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types greenroom"
)
HEADERS = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
READING = ("GET", "HEAD", "OPTIONS")
OUR_OWN = ("same-origin", "none")  # "none": the person typed the address or reloaded the page
KINDLY = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Page not found",
    409: "Not saved",
    429: "Too many requests",
    503: "Not available right now",
}
Shape = TypeVar("Shape", bound=BaseModel)

console = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")


@console.before_request
def _limit() -> None:
    request.max_content_length = CONSOLE_BYTES


@console.before_request
def _refuse_other_sites() -> None:
    """Refuse forms of other sites: a browser says whose page sends a form (Sec-Fetch-Site). This
    also covers signing in, which has no token yet.
    """
    is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") in OUR_OWN
    if request.method not in READING and not is_ours:
        raise Problem(
            403, "This request came from another site. Open the console and try again there."
        )


@console.after_request
def _secure(answer: BaseResponse) -> BaseResponse:
    answer.headers.update(HEADERS)
    answer.headers.update(headers_for("console", POLICY))
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def looking() -> SignedIn:
    """Return who looks at a page. Raises the redirect to sign in, or to choose a password, for
    everyone else.
    """
    who = sessions.signed_in()
    if who is None and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise OnceMore
    if who is None:
        raise SignInFirst("/console/sign-in")
    if who.must_change_password:
        raise SignInFirst("/console/password")
    if needs_second_factor(who):
        raise SignInFirst(ACCOUNT)
    return who


def needs_second_factor(who: SignedIn) -> bool:
    """Whether they must turn on a second factor before the page that they requested: for a locked
    site, or for any page if all their sites are locked.
    """
    if request.path.startswith(ACCOUNT):
        return False
    site = (request.view_args or {}).get("site")
    return site in who.locked or bool(who.locked and not who.sites)


def acting() -> SignedIn:
    """Return who sends a form or a call of our own page. Raises a 401 or 403 for everyone else. The
    text of a form is kept for its writer.
    """
    who = sessions.signed_in()
    if who is None:
        if coming_back.is_kept():
            raise Kept
        not_signed_in()
    if who.must_change_password:
        raise Problem(403, "Choose a new password first, at /console/password.")
    if needs_second_factor(who):
        sites = " and ".join(who.locked)
        verb = "requires" if len(who.locked) == 1 else "require"
        raise Problem(403, f"Turn on a second factor in your account first: {sites} {verb} it.")
    if request.mimetype == JSON:
        _check_header(who)
    else:
        _check_token(who)
    return who


def _check_token(who: SignedIn) -> None:
    try:
        sessions.check_csrf(who)
    except sessions.OutOfDate:
        if coming_back.is_from(who):
            raise SendAgain(who) from None
        raise


def _check_header(who: SignedIn) -> None:
    if not hmac.compare_digest(
        request.headers.get("X-Greenroom-CSRF", "").encode(), who.csrf.encode()
    ):
        raise sessions.OutOfDate


def way_back(**more: str) -> str:
    """Return the address of the list that a form was sent from, with something added, such as the
    open item. It is always an address of the console.
    """
    back = request.form.get("back", "")
    address = back if back.startswith("/console/?") else "/console/"
    return f"{address}{'&' if '?' in address else '?'}{urlencode(more)}" if more else address


def sent(shape: type[Shape]) -> Shape:
    return body_as(shape)


def not_signed_in() -> NoReturn:
    raise Problem(401, "You are not signed in. Sign in at /console/sign-in.")


def problem_page(problem: Problem) -> Response:
    """An error as a page that says what to do next."""
    title = KINDLY.get(problem.status, "Something went wrong")
    if isinstance(problem, sessions.OutOfDate):
        title = "Out of date"
    if problem.status == 405:
        problem.detail = "This page has no content of its own. Go back and submit the form again."
    if problem.status == 404 and request.url_rule is None:
        problem.detail = "There is no page at this address. The link may be incomplete."
    page = render_template("console/problem.html", problem=problem, title=title)
    answer = Response(
        page, problem.status, problem.headers, content_type="text/html; charset=utf-8"
    )
    answer.headers["Cache-Control"] = "no-store"
    _secure(answer)
    return answer


def wants_json() -> bool:
    """Whether our own script sends the request, so that an error must be JSON."""
    return JSON in (request.mimetype, request.accept_mimetypes.best)


PLACES = (
    ("/console/", "The queue"),
    ("/console/teach", "Teach"),
    ("/console/blocks", "Blocked and trusted"),
    ("/console/people", "People"),
    ("/console/quality", "Quality"),
    ("/console/log", "The log"),
    ("/console/settings", "Settings"),
    (ACCOUNT, "Your account"),
)


@console.context_processor
def _around() -> dict[str, object]:
    """Return what the frame of every page needs: the other pages, and whether a part is down. Items
    stand on several pages and need the names of the scores.
    """
    return {
        "places": PLACES,
        "alarm": alarms.current(),
        "carried_on": coming_back.carried,
        "scores": SCORES,
    }


console.add_app_template_global(coming_back.writer, "writer")
