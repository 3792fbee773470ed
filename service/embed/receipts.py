"""The page of a receipt, without JavaScript: what happened to the comment, and the forms with which
its author edits or deletes it.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Response, abort, redirect, render_template, request, url_for
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.locales.words import Words, words_for
from models.records import Comment
from models.store.database import reading
from service.comments import owning
from service.comments.owning import EditRefused
from service.comments.receipts import Receipt, find_receipt
from service.comments.submission import NewText
from service.embed.blueprint import embed, private_answer, wished_language
from service.http import limits
from service.http.addresses import reader
from service.http.form_tokens import issue_form_token
from service.readers.appeals import facts_of, facts_of_hold
from service.sites.lookup import SiteInfo, find_site

MOST_LETTERS = 10_000


@embed.get("/sites/<site_key>/receipts/<receipt>")
def whats_next(site_key: str, receipt: str) -> Response:
    """Show the receipt in words. While the comment is pending, the page reloads by itself, except
    for `?change=edit` and `?change=delete`, which show a form.
    """
    site, found = _wanted(site_key, receipt)
    return _page(site, found, receipt, change=request.args.get("change", ""))


@embed.post("/sites/<site_key>/receipts/<receipt>")
def change_own(site_key: str, receipt: str) -> BaseResponse:
    """Edit or delete the comment, then show its receipt."""
    site, found = _wanted(site_key, receipt)
    too_fast = limits.count_change(reader())
    if request.form.get("do") == "delete":
        if too_fast:
            raise too_fast
        owning.delete(found.comment_id)
    else:
        typed = request.form.get("body", "")
        words = words_for(wished_language(), site.locale)
        slow = Refusal(429, words.pages["slow"])
        refused = slow if too_fast else _edit(found, typed, words)
        if refused:
            status, error = refused
            return _page(
                site, found, receipt, change="edit", typed=typed, error=error, status=status
            )
    lang = wished_language()
    return redirect(url_for("embed.whats_next", site_key=site.key, receipt=receipt, lang=lang), 303)


class Refusal(NamedTuple):
    """Why an edit is not accepted: the status of the answer, and the error in the form."""

    status: int
    error: str


def _edit(found: Receipt, typed: str, words: Words) -> Refusal | None:
    try:
        owning.edit(found.comment_id, NewText.model_validate({"body": typed}))
    except EditRefused as refused:
        return Refusal(403, words.own[f"not_{refused.why}"])
    except ValidationError:
        is_long = len(typed.strip()) > MOST_LETTERS
        far = words.pages["far"].replace("{n}", str(MOST_LETTERS))
        return Refusal(422, far if is_long else words.form["missing"])
    return None


def _wanted(site_key: str, receipt: str) -> tuple[SiteInfo, Receipt]:
    site, found = find_site(site_key) or abort(404), find_receipt(receipt)
    if found is None or found.site != site.key:
        abort(404)
    return site, found


def _page(  # noqa: PLR0913 — the parts of the page
    site: SiteInfo,
    found: Receipt,
    receipt: str,
    *,
    change: str,
    typed: str | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    words, lang = words_for(wished_language(), site.locale), wished_language()
    told = found.answer
    waiting = told["edit"]["body"] if told["edit"] and told["edit"]["status"] == "waiting" else None
    page = render_template(
        "embed/receipt.html",
        words=words,
        site=site,
        told=told,
        because=found.because,
        because_of_edit=found.because_of_edit,
        back=url_for("embed.thread", site_key=site.key, thread=found.thread, lang=lang),
        here=url_for("embed.whats_next", site_key=site.key, receipt=receipt, lang=lang),
        receipt=receipt,
        facts=facts_of(told["statement"], words),
        hidden=facts_of_hold(told["hidden"], words),
        lang=lang,
        change=change,
        typed=typed if typed is not None else waiting or told["body"],
        error=error,
        is_deleted=found.because == "because_deleted",
        thread=found.thread,
        again=_again(site, found.comment_id) if told["status"] == "rejected" else None,
        most=MOST_LETTERS,
    )
    return private_answer(page, status=status)


def _again(site: SiteInfo, comment_id: str) -> dict[str, str]:
    """Return what the form for sending the text again knows already."""
    wanted = select(Comment.name, Comment.parent_id).where(Comment.id == comment_id)
    with reading() as session:
        name, parent = session.execute(wanted).one()
    return {"name": name, "parent": parent or "", "token": issue_form_token(site.key)}
