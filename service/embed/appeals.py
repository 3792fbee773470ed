"""The form with which the author of a rejected comment appeals, without JavaScript."""

from __future__ import annotations

from flask import Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from models.locales.words import Words, words_for
from service.comments.receipts import find_receipt
from service.embed.blueprint import embed, private_answer, wished_language
from service.http import limits
from service.http.addresses import reader
from service.http.problems import Problem
from service.readers.appeals import MOST_TEXT, Refused, appeal, appeal_text, facts_of
from service.sites.lookup import SiteInfo, find_site


@embed.post("/sites/<site_key>/receipts/<receipt>/appeal")
def appeal_by_form(site_key: str, receipt: str) -> BaseResponse:
    """Open the appeal, and go back to the receipt. If the appeal is refused, show the form again
    with its text.
    """
    site, found = find_site(site_key) or abort(404), find_receipt(receipt)
    if found is None or found.site != site.key:
        abort(404)
    words, text = words_for(wished_language(), site.locale), request.form.get("text", "").strip()
    if too_fast := limits.count_post(site.key, reader()):
        slow = Problem(429, words.pages["slow"], headers=too_fast.headers)
        return _again(site, receipt, words, text, slow)
    try:
        said = appeal_text(text)
    except ValueError:
        far = words.pages["far"].replace("{n}", str(MOST_TEXT))
        wrong = Problem(422, far if len(text) > MOST_TEXT else words.appeal["empty"])
        return _again(site, receipt, words, text, wrong)
    try:
        appeal(found.answer["id"], said)
    except Refused as refused:
        return _again(site, receipt, words, text, Problem(409, words.appeal[refused.why]))
    return redirect(_receipt_page(site, receipt), 303)


def _again(site: SiteInfo, receipt: str, words: Words, text: str, problem: Problem) -> Response:
    found = find_receipt(receipt) or abort(404)
    page = render_template(
        "embed/appeal_again.html",
        words=words,
        site=site,
        receipt=receipt,
        told=found.answer,
        facts=facts_of(found.answer["statement"], words),
        appeal_text=text,
        appeal_error=problem.detail if problem.status != 409 else "",
        refused=problem.detail,
        lang=wished_language(),
        back=_receipt_page(site, receipt),
    )
    answer = private_answer(page, status=problem.status)
    answer.headers.update(problem.headers or {})
    return answer


def _receipt_page(site: SiteInfo, receipt: str) -> str:
    return url_for("embed.whats_next", site_key=site.key, receipt=receipt, lang=wished_language())
