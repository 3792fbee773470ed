"""After signing in, people get the page that they requested. A form that was sent after its session
had ended is kept for its writer.

The text travels through the sign-in forms as an encrypted field, so this works without JavaScript
and nothing is stored. Only its writer gets it back, and nothing is saved before they send it again.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cryptography.exceptions import InvalidTag
from flask import make_response, redirect, render_template, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from models.records import Moderator
from models.store.database import now
from models.store.secrets import keyed_hash, seal, unseal
from service.console import sessions
from service.console.sessions import SignedIn

HOME = "/console/"
MOST_ADDRESS = 2000
KEPT_FOR = timedelta(hours=12)
_PURPOSE = "console unsent form"
# Only the console's own addresses, and only with characters that no browser reads in another way:
# it would take a backslash for a slash, and drop a tab or a line end.
_ADDRESS = re.compile(r"/console/[A-Za-z0-9/._~%!$&()*+,;=:@?-]*")
_OURS = ("csrf", "writer")  # fields that no one typed


class SignInFirst(HTTPException):
    """Raised to lead someone to a page where they first sign in or choose a password."""

    def __init__(self, where: str) -> None:
        next_ = _here()
        query = f"?{urlencode({'next': next_})}" if next_ != HOME else ""
        super().__init__(response=redirect(where + query, 303))


class OnceMore(HTTPException):
    """Raised to make the browser load the same address again, now from a page of ours.

    A browser does not send the cookie when someone follows a link on another site, such as a link
    in a mail. Without this, a person who is signed in would have to sign in again.
    """

    def __init__(self) -> None:
        page = render_template("console/once_more.html", address=_here())
        super().__init__(response=make_response(page))


class Kept(HTTPException):
    """Raised for a form whose session has ended: asks its writer to sign in, and keeps the form."""

    def __init__(self) -> None:
        carried = Carried(_back(), _sealed(_sent()))
        page = render_template("console/sign_in.html", email="", error="", carried=carried)
        super().__init__(response=make_response(page, 401))


class SendAgain(HTTPException):
    """Raised for a form from an earlier session of the same person: shows it so that they can send
    it again.
    """

    def __init__(self, who: SignedIn) -> None:
        page = _unsent_page(_sent(), csrf=who.csrf, next_=_back())
        super().__init__(response=make_response(page, 403))


class Carried(NamedTuple):
    """The values that the sign-in forms carry: the requested page, and the kept form."""

    next: str = HOME
    unsent: str = ""


class Unsent(BaseModel):
    """A form that was not saved. `writer` names the person who wrote it."""

    writer: str
    address: str
    fields: dict[str, str]
    at: datetime

    @property
    def text(self) -> str | None:
        return self.fields.get("text")


def carried() -> Carried:
    """Return the values that this request carries on."""
    return Carried(place(), request.form.get("unsent", ""))


def place() -> str:
    """Return the page to open after signing in, which is always an address of the console."""
    return checked(request.values.get("next", ""))


def checked(address: str) -> str:
    """Return the address if it is one of the console's own, otherwise the queue."""
    path = address.partition("?")[0]
    is_ours = len(address) <= MOST_ADDRESS and _ADDRESS.fullmatch(address)
    return address if is_ours and ".." not in path and "//" not in path else HOME


def let_in(moderator: Moderator) -> BaseResponse:
    """Sign them in. They get the page that they requested, or see the form that they had
    written.
    """
    unsent = _opened(request.form.get("unsent", ""))
    is_theirs = unsent is not None and _is_writer(unsent.writer, moderator.id)
    if unsent is None or not is_theirs or moderator.must_change_password:
        answer: BaseResponse = redirect(place(), 303)
        sessions.start(moderator, answer)
        return answer
    page = make_response()
    csrf = sessions.start(moderator, page)
    page.set_data(_unsent_page(unsent, csrf=csrf, next_=place()))
    return page


def writer(who: SignedIn) -> str:
    """Return the field by which a form says who wrote it. It does not prove who sends it."""
    return keyed_hash("console writer", who.moderator_id)


def is_kept() -> bool:
    """Whether this form is kept if its session has ended."""
    return "writer" in request.form


def is_from(who: SignedIn) -> bool:
    """Whether they wrote this form, perhaps in an earlier session."""
    return _is_writer(request.form.get("writer", ""), who.moderator_id)


def _is_writer(given: str, moderator_id: str) -> bool:
    expected = keyed_hash("console writer", moderator_id)
    return hmac.compare_digest(given.encode(), expected.encode())


def _here() -> str:
    """Return the address of this request."""
    query = quote(request.query_string, safe="%/?:@!$&()*+,;=~")
    return checked(f"{quote(request.path)}{f'?{query}' if query else ''}")


def _back() -> str:
    return checked(request.form.get("back", ""))


def _sent() -> Unsent:
    fields = {name: value for name, value in request.form.items() if name not in _OURS}
    writer_ = request.form.get("writer", "")
    return Unsent(writer=writer_, address=quote(request.path), fields=fields, at=now())


def _unsent_page(unsent: Unsent, *, csrf: str, next_: str) -> str:
    return render_template("console/unsent.html", unsent=unsent, csrf=csrf, next=next_)


def _sealed(unsent: Unsent) -> str:
    return base64.urlsafe_b64encode(seal(_PURPOSE, unsent.model_dump_json().encode())).decode()


def _opened(sealed: str) -> Unsent | None:
    """Return the kept form; None if it is too old or we did not encrypt it."""
    try:
        unsent = Unsent.model_validate_json(unseal(_PURPOSE, base64.urlsafe_b64decode(sealed)))
    except (InvalidTag, ValidationError, binascii.Error, ValueError):
        return None
    return unsent if now() - unsent.at < KEPT_FOR else None
