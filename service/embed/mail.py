"""The page on which a reader chooses mails. A link in every mail leads here.

Opening a link changes nothing, because mail programs and scanners open links. A mail program's
one-click unsubscribing (RFC 8058) is a POST, and acts at once.
"""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for

from models.locales.words import words_for
from models.mailing.choices import choices_token
from models.mailing.letter import site_name
from models.mailing.smtp import can_send
from service.embed.blueprint import embed, private_answer, wished_language
from service.http import limits
from service.http.addresses import reader
from service.readers import mail_choices
from service.readers.identity import Identity
from service.sites.lookup import SiteInfo, find_site

ONE_CLICK = "List-Unsubscribe"
MOST_LIST = 40  # characters


def choices_page(site: SiteInfo, who: Identity) -> str | None:
    """Return the link to the reader's page of choices. None if the reader gets no mail.

    The link needs no other proof, so show it to this reader only.
    """
    if not who.email_is_proven or not can_send():
        return None
    token = choices_token(who.reader_id)
    return url_for("embed.mail_page", site_key=site.key, token=token, lang=wished_language())


@embed.get("/sites/<site_key>/mail/<token>")
def mail_page(site_key: str, token: str) -> Response:
    """Show the choices. `?list=replies` offers to stop those mails."""
    site = find_site(site_key) or abort(404)
    return _page(site, token, "", request.args.get("list", "")[:MOST_LIST])


@embed.post("/sites/<site_key>/mail/<token>")
def change_mail(site_key: str, token: str) -> Response:
    """Save choices, or stop mails at once."""
    site = find_site(site_key) or abort(404)
    if too_fast := limits.count_mailing("choice", site.key, reader()):
        raise too_fast
    form = request.form
    wanted = form.get("list", request.args.get("list", ""))[:MOST_LIST] or mail_choices.ALL
    told = "saved"
    if ONE_CLICK in form or form.get("do") == "stop":
        is_known = mail_choices.stop(site, token, wanted)
        told = "stopped_all" if wanted == mail_choices.ALL else "stopped"
    elif form.get("do") == "unfollow":
        is_known = mail_choices.unfollow_thread(site, token, form.get("thread", "")[:MOST_LIST])
    elif form.get("do") == "revoke":
        is_known = mail_choices.revoke(site, token, form.get("key", "")[:MOST_LIST])
    else:
        is_known = mail_choices.choose(site, token, form)
    return _page(site, token, told, "") if is_known else abort(404)


def _page(site: SiteInfo, token: str, told: str, wanted: str) -> Response:
    page = mail_choices.read_choices(site, token) or abort(404)
    language = wished_language()
    return private_answer(
        render_template(
            "embed/mail.html",
            words=words_for(language, site.locale),
            name=site_name(site.key, site.stored_origins),
            page=page,
            told=told,
            list=wanted,
            here=url_for("embed.mail_page", site_key=site.key, token=token, lang=language),
        )
    )
