"""One's own account: a second factor, the sessions that are open; and getting in with a code."""

from __future__ import annotations

import io

from flask import redirect, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from sqlalchemy import func, select
from werkzeug.wrappers import Response as BaseResponse

from models.records import ConsoleSession
from models.store.database import now, reading
from models.store.secrets import secrets
from service.console import sessions
from service.console.blueprint import acting, console, looking
from service.console.sessions import Guesses
from service.http.addresses import reader
from service.http.limits import in_words
from service.http.problems import Problem
from service.people import accounts, second_factor

WAIT_SECONDS = 300  # between the password and the code, and between a new secret and its first code

codes = Guesses()  # by account alone: whoever guesses codes has the password already


def _signer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secrets().derived(f"console {purpose}"))


def _signed(purpose: str, name: str) -> str:
    """What we signed a moment ago and sent along with a form. Raises the 403 that says to begin
    again.
    """
    try:
        return str(_signer(purpose).loads(request.form.get(name, ""), max_age=WAIT_SECONDS))
    except BadSignature:
        raise Problem(403, "That took too long. Begin again.") from None


def ask_for_code(moderator_id: str) -> str:
    return render_template(
        "console/code.html", pass_on=_signer("code").dumps(moderator_id), error=""
    )


@console.post("/sign-in/code")
def sign_in_with_code() -> BaseResponse | tuple[str, int]:
    """The second step: a code of the app, or one of the recovery codes, which works once."""
    moderator_id, error = _signed("code", "pass"), ""
    if wait := codes.admit(moderator_id, moderator_id):
        error = f"Too many wrong codes. Try again in {in_words(wait)}."
    elif moderator := second_factor.admit(moderator_id, request.form.get("code", "")):
        codes.forget(moderator_id, moderator_id)
        answer = redirect("/console/", 303)
        sessions.start(moderator, answer)
        return answer
    page = render_template(
        "console/code.html",
        pass_on=_signer("code").dumps(moderator_id),
        error=error or "That is not the code of this moment. Try the next one.",
    )
    return page, 429 if error else 403


@console.get("/account")
def account() -> str:
    who = looking()
    mine = (ConsoleSession.moderator_id == who.moderator_id) & (ConsoleSession.expires_at > now())
    with reading() as session:
        count = session.execute(
            select(func.count()).select_from(ConsoleSession).where(mine)
        ).scalar_one()
    left = second_factor.recovery_codes_left(who.moderator_id)
    return render_template("console/account.html", who=who, sessions=count, left=left, error="")


@console.post("/account/second-factor")
def begin_second_factor() -> str:
    """A new secret, to be taken over into an app; it counts once a code of it has come back."""
    who = acting()
    return _enrolment(who.email, second_factor.new_secret(), "")


@console.post("/account/second-factor/confirm")
def confirm_second_factor() -> str | tuple[str, int]:
    who = acting()
    secret = _signed("secret", "secret")
    made = second_factor.begin(who.moderator_id, secret, request.form.get("code", ""))
    if made is None:
        return _enrolment(
            who.email, secret, "That is not the code of this moment. Try the next one."
        ), 422
    sessions.end_others(who)
    return render_template("console/recovery.html", who=who, codes=made)


def _enrolment(email: str, secret: str, error: str) -> str:
    address = second_factor.address(secret, email)
    drawn = io.BytesIO()
    # for those few who set one up; it would be 1 MB in every web process
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
def end_second_factor() -> BaseResponse | tuple[str, int]:
    """With the password, so that an open session alone is not enough."""
    who = acting()
    if not has_given_password(who):
        left = second_factor.recovery_codes_left(who.moderator_id)
        return render_template(
            "console/account.html", who=who, sessions=1, left=left, error="Wrong password."
        ), 403
    second_factor.end(who.moderator_id)
    return redirect("/console/account", 303)


def has_given_password(who: sessions.SignedIn) -> bool:
    """Whether the form carries the password of the account, for what an open session alone must not
    do. Guesses are slowed down.
    """
    if codes.admit(who.moderator_id, reader()):
        return False
    if accounts.check_password(who.email, request.form.get("password", "")) is None:
        return False
    codes.forget(who.moderator_id, reader())
    return True


@console.post("/account/sessions/end")
def end_other_sessions() -> BaseResponse:
    who = acting()
    sessions.end_others(who)
    return redirect("/console/account", 303)
