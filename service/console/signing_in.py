"""Signing in and out, and choosing a password."""

from __future__ import annotations

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from service.console import coming_back, sessions
from service.console.account import ask_for_code
from service.console.blueprint import console, not_signed_in
from service.console.confirming import Action, Refusal, guesses, sensitive
from service.console.sessions import SignedIn
from service.http.addresses import reader
from service.http.limits import in_words
from service.people import accounts, letters, mail


@console.get("/sign-in")
def sign_in_page() -> str:
    return render_template("console/sign_in.html", email="", error="")


@console.post("/sign-in")
def sign_in() -> BaseResponse | tuple[str, int]:
    email, address = request.form.get("email", "").strip().lower().replace("\0", ""), reader()
    if wait := guesses.admit(email, address):
        error = f"Too many wrong passwords. Try again in {in_words(wait)}."
        return render_template("console/sign_in.html", email=email, error=error), 429
    moderator = accounts.check_password(email, request.form.get("password", ""))
    if moderator is None:
        return render_template(
            "console/sign_in.html", email=email, error="Wrong email or password."
        ), 403
    guesses.forget(email, address)
    if moderator.second_factor is not None:
        return ask_for_code(moderator), 200
    return coming_back.let_in(moderator)


@console.post("/sign-out")
def sign_out() -> BaseResponse:
    who = sessions.signed_in() or not_signed_in()
    sessions.check_csrf(who)
    answer = redirect("/console/sign-in", 303)
    sessions.end(who, answer)
    return answer


@console.get("/password")
def password_page() -> BaseResponse | str:
    who = sessions.signed_in()
    if who is None:
        return redirect("/console/sign-in", 303)
    return render_template("console/password.html", who=who, error="")


def _choosing() -> SignedIn:
    """Return who sends the form. A temporary password is enough for this form, and for nothing
    else.
    """
    who = sessions.signed_in() or not_signed_in()
    sessions.check_csrf(who)
    return who


def _choose_again(who: SignedIn, _action: Action, refusal: Refusal) -> tuple[str, int]:
    """Show the form again, without the new password among the hidden fields, because no page
    contains one.
    """
    error = refusal.error or "Enter your current password, too. Nothing was changed."
    return render_template("console/password.html", who=who, error=error), refusal.status


def _change(_who: SignedIn) -> Action:
    return Action("change it", back="/console/account")


@console.post("/password")
@sensitive(_change, signed_in=_choosing, ask_again=_choose_again)
def change_password(who: SignedIn) -> BaseResponse | tuple[str, int]:
    """Choose a password. Every other session ends, and so does the temporary password of the first
    start.
    """
    try:
        accounts.change_password(
            who.moderator_id, request.form.get("password", ""), session_hash=who.session_hash
        )
    except ValueError as error:
        return render_template("console/password.html", who=who, error=str(error)), 422
    if not who.must_change_password:
        mail.notify(who.email, letters.password_changed())
    return redirect(coming_back.place(), 303)
