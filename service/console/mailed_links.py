"""The pages that mailed links open (an invitation, a new password, a new email address), and the
form for a forgotten password.
"""

from __future__ import annotations

from functools import partial

from flask import Response, after_this_request, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.records import Site, Ticket
from models.store.database import reading
from service.console.blueprint import console
from service.console.sessions import Guesses
from service.http.addresses import reader
from service.http.limits import in_words
from service.http.problems import Problem
from service.people import letters, mail, tickets

asked = Guesses()


@console.get("/join/<token>")
def join_page(token: str) -> str | tuple[str, int]:
    ticket = tickets.find(token)
    if ticket is None:
        return render_template("console/join.html", ticket=None, error=""), 404
    return _join(ticket)


def _join(ticket: Ticket, error: str = "") -> str:
    with reading() as session:
        site = session.execute(select(Site.key).where(Site.id == ticket.site_id)).scalar()
    is_new = tickets.is_new_account(ticket)
    return render_template(
        "console/join.html", ticket=ticket, site=site, is_new=is_new, error=error
    )


@console.post("/join/<token>")
def join(token: str) -> BaseResponse | str | tuple[str, int]:
    ticket = tickets.find(token)
    if ticket is None:
        return render_template("console/join.html", ticket=None, error=""), 404
    if ticket.kind == "address" and (old := tickets.use_new_address(ticket)):
        mail.notify(old, letters.address_changed(ticket.email))
        return redirect("/console/account", 303)
    try:
        if tickets.use(token, request.form.get("password", "")):
            if ticket.kind == "reset":
                mail.notify(ticket.email, letters.password_changed())
            return redirect("/console/sign-in", 303)
    except ValueError as error:
        return _join(ticket, str(error)), 422
    return render_template("console/join.html", ticket=None, error=""), 404


@console.get("/forgotten")
def forgotten_page() -> str:
    return render_template("console/forgotten.html", can_mail=mail.can_send(), sent=False)


@console.post("/forgotten")
def forgotten() -> str | tuple[str, int]:
    """Answer in the same way whether the account exists or not."""
    email = request.form.get("email", "").strip().lower()[:254].replace("\0", "")
    if not mail.can_send():
        raise Problem(409, "This server can't send email. Ask its administrator for a link.")
    if wait := asked.admit(email, reader()):
        raise Problem(429, f"You asked for a link a moment ago. Try again in {in_words(wait)}.")
    _send_link_after_the_answer(email)
    return render_template("console/forgotten.html", can_mail=True, sent=True)


def _send_link_after_the_answer(email: str) -> None:
    """Look the account up after the answer is complete, so that the answer takes the same time for
    an unknown address as for a known one.
    """

    @after_this_request
    def send_when_closed(answer: Response) -> Response:
        answer.call_on_close(partial(mail.in_background, _send_link, email))
        return answer


def _send_link(email: str) -> None:
    if link := tickets.reset_by_mail(email):
        mail.send(email, *letters.new_password(link))
