"""A moderator's own account: the second factor, the open sessions, and signing in with a code."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from flask import redirect, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from models.records import Moderator
from models.store.secrets import keyed_hash, secrets
from service.console import coming_back
from service.console.blueprint import acting, console, looking
from service.console.confirming import Action, sensitive
from service.console.sessions import Guesses, SignedIn
from service.http.limits import in_words
from service.http.problems import Problem
from service.people import console_sessions, letters, mail, second_factor, tickets

WAIT_SECONDS = 300  # between the password and the code, and between a new secret and its first code

codes = Guesses()  # by account only: someone who guesses codes already has the password


def _signer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secrets().derived(f"console {purpose}"))


def _signed(purpose: str, name: str) -> str:
    """Return the value that we signed a moment ago and sent with a form. Raises a 403 that asks to
    start again.
    """
    try:
        return str(_signer(purpose).loads(request.form.get(name, ""), max_age=WAIT_SECONDS))
    except BadSignature:
        raise Problem(403, "That took too long. Start again.") from None


def ask_for_code(moderator: Moderator) -> str:
    return _code_page(_pass_on(moderator), "")


def _code_page(pass_on: str, error: str) -> str:
    sealed = _signer("code").dumps(pass_on)
    return render_template("console/code.html", pass_on=sealed, error=error)


def _pass_on(moderator: Moderator) -> str:
    """Return who gave which password: if the password changes before the code arrives, the first
    step no longer counts.
    """
    return f"{moderator.id} {keyed_hash('pass', moderator.password_hash)}"


@console.post("/sign-in/code")
def sign_in_with_code() -> BaseResponse | tuple[str, int]:
    """The second step: a code from the app, or one of the recovery codes, each of which works
    once.
    """
    pass_on, error = _signed("code", "pass"), ""
    moderator_id = pass_on.partition(" ")[0]
    if wait := codes.admit(moderator_id, moderator_id):
        error = f"Too many wrong codes. Try again in {in_words(wait)}."
    elif moderator := second_factor.admit(moderator_id, request.form.get("code", "")):
        codes.forget(moderator_id, moderator_id)
        if _pass_on(moderator) != pass_on:
            raise Problem(403, "Your password has changed. Sign in again.")
        return coming_back.let_in(moderator)
    page = _code_page(pass_on, error or "That code is wrong or has expired.")
    return page, 429 if error else 403


@console.get("/account")
def account() -> str:
    return _page(looking())


def _page(who: SignedIn, *, mailed: str = "", error: str = "") -> str:
    return render_template(
        "console/account.html",
        who=who,
        can_mail=mail.can_send(),
        mailed=mailed,
        error=error,
        sessions=console_sessions.listed(who.moderator_id, who.session_hash),
        left=second_factor.recovery_codes_left(who.moderator_id),
    )


@console.post("/account/second-factor")
def begin_second_factor() -> str:
    """Show a new secret for an app. Nothing changes until the form below it is confirmed."""
    who = acting()
    return _enrolment(who.email, second_factor.new_secret(), "")


def _on_the_account(what: str) -> Callable[[SignedIn], Action]:
    return lambda _who: Action(what, back="/console/account")


@console.post("/account/second-factor/confirm")
@sensitive(_on_the_account("turn on the second factor"))
def confirm_second_factor(who: SignedIn) -> str | tuple[str, int]:
    secret = _signed("secret", "secret")
    made = second_factor.begin(who.moderator_id, secret, request.form.get("code", ""))
    if made is None:
        return _enrolment(
            who.email, secret, "That code is wrong or has expired. Try the next one."
        ), 422
    console_sessions.end_others(who.moderator_id, who.session_hash)
    mail.notify(who.email, letters.second_factor_changed("turned on"))
    return _recovery_codes(who, "The second factor is on", made)


@console.post("/account/recovery-codes")
@sensitive(_on_the_account("make new recovery codes"))
def make_recovery_codes(who: SignedIn) -> str:
    made = second_factor.new_recovery_codes(who.moderator_id)
    mail.notify(who.email, letters.recovery_codes_replaced())
    return _recovery_codes(who, "New recovery codes", made)


def _recovery_codes(who: SignedIn, title: str, codes: Sequence[str]) -> str:
    return render_template("console/recovery.html", who=who, title=title, codes=codes)


def _enrolment(email: str, secret: str, error: str) -> str:
    address = second_factor.address(secret, email)
    drawn = io.BytesIO()
    # imported here: few people set one up, and it would take 1 MB in every web process
    import segno  # noqa: PLC0415

    segno.make(address, error="m").save(
        drawn, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True
    )
    return render_template(
        "console/second_factor.html",
        who=looking(),
        qr=Markup(drawn.getvalue().decode()),  # noqa: S704 — our own drawing
        secret=secret,
        sealed=_signer("secret").dumps(secret),
        error=error,
    )


@console.post("/account/second-factor/end")
@sensitive(_on_the_account("turn off the second factor"))
def end_second_factor(who: SignedIn) -> BaseResponse:
    second_factor.end(who.moderator_id)
    mail.notify(who.email, letters.second_factor_changed("turned off"))
    return redirect("/console/account", 303)


def _changing_address(_who: SignedIn) -> Action:
    if not mail.can_send():
        raise Problem(409, "This server can't send email, so it can't verify a new address.")
    return Action("change your email address", back="/console/account")


@console.post("/account/email")
@sensitive(_changing_address)
def change_address(who: SignedIn) -> str | tuple[str, int]:
    """Mail a link to the new address. The answer does not say whether another account uses it."""
    email = request.form.get("email", "").strip()
    try:
        link = tickets.new_address(who.moderator_id, email)
    except ValueError as error:
        return _page(who, error=str(error)), 422
    if link is not None:
        mail.send_soon(email, *letters.confirm_address(who.email, link))
    return _page(who, mailed=email)


@console.post("/account/sessions/end")
def end_other_sessions() -> BaseResponse:
    who = acting()
    console_sessions.end_others(who.moderator_id, who.session_hash)
    return redirect("/console/account", 303)


@console.post("/account/sessions/<session_id>/end")
def end_session(session_id: str) -> BaseResponse:
    """End a session, which may be this one."""
    console_sessions.end(acting().moderator_id, session_id)
    return redirect("/console/account", 303)
