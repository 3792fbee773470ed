"""Sensitive actions need the account's password, or a code of its second factor, every time.

So someone who has only a session, such as a stolen cookie, cannot take over the account or the
site.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from flask import render_template, request

from service.console.blueprint import acting
from service.console.sessions import Guesses, SignedIn
from service.http.addresses import reader
from service.http.limits import in_words
from service.people import accounts, second_factor

FIELD = "current_password"
SENSITIVE: set[str] = set()  # the names of the views
guesses = Guesses()  # password attempts, at the sign-in and here
_guesses_by_session = Guesses()  # a thief may change the IP address, but has only this session

P = ParamSpec("P")
R = TypeVar("R")
Refused = tuple[str, int]


class Action(NamedTuple):
    """What to confirm: "remove bob@paper.example from demo". `back` is the page it is on."""

    what: str
    back: str


class Refusal(NamedTuple):
    status: int
    error: str


def _ask_again(who: SignedIn, action: Action, refusal: Refusal) -> Refused:
    """Show the same form again, with everything that was sent and a field for the password."""
    page = render_template(
        "console/confirm.html",
        who=who,
        action=action,
        error=refusal.error,
        sent=[each for each in request.form.items(multi=True) if each[0] != FIELD],
        has_second_factor=second_factor.is_on(who.moderator_id),
    )
    return page, refusal.status


def sensitive(
    action: Callable[Concatenate[SignedIn, P], Action],
    *,
    signed_in: Callable[[], SignedIn] = acting,
    ask_again: Callable[[SignedIn, Action, Refusal], Refused] = _ask_again,
) -> Callable[[Callable[Concatenate[SignedIn, P], R]], Callable[P, R | Refused]]:
    """Call the view only if the form contains the password. Otherwise ask for it.

    `action` also checks that the person may do this, and raises the Problem if not.
    """

    def decorate(view: Callable[Concatenate[SignedIn, P], R]) -> Callable[P, R | Refused]:
        @wraps(view)
        def confirmed(*args: P.args, **kwargs: P.kwargs) -> R | Refused:
            who = signed_in()
            about = action(who, *args, **kwargs)
            refusal = _refusal(who, request.form.get(FIELD, ""))
            if refusal is not None:
                return ask_again(who, about, refusal)
            return view(who, *args, **kwargs)

        SENSITIVE.add(view.__name__)
        return confirmed

    return decorate


def _refusal(who: SignedIn, password: str) -> Refusal | None:
    """Return None for the right password. Wrong ones are slowed down together with those of the
    sign-in, and also by session.
    """
    if not password:
        return Refusal(403, "")
    address, session = reader(), who.session_hash
    if wait := _guesses_by_session.admit(session, session) or guesses.admit(who.email, address):
        return Refusal(
            429, f"Too many wrong passwords. Try again in {in_words(wait)}. Nothing was changed."
        )
    if not _is_right(who, password):
        return Refusal(403, "Wrong password. Nothing was changed.")
    _guesses_by_session.forget(session, session)
    guesses.forget(who.email, address)
    return None


def _is_right(who: SignedIn, password: str) -> bool:
    if second_factor.looks_like_a_code(password):  # no password is as short as that
        return second_factor.take_code(who.moderator_id, password)
    return accounts.check_password(who.email, password) is not None
