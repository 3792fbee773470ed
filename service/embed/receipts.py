"""The page of a receipt: what happened to the comment, without JavaScript."""

from __future__ import annotations

from flask import Response, abort, render_template, url_for

from models.locales.words import words_for
from service.comments.receipts import find_receipt
from service.embed.blueprint import embed, html_answer, wished_language
from service.readers.appeals import facts_of
from service.sites.lookup import find_site


@embed.get("/sites/<site_key>/receipts/<receipt>")
def whats_next(site_key: str, receipt: str) -> Response:
    """Show the receipt in words. While the comment is pending, the page reloads by itself."""
    site, found = find_site(site_key) or abort(404), find_receipt(receipt)
    if found is None or found.site != site.key:
        abort(404)
    words = words_for(wished_language(), site.locale)
    back = url_for("embed.thread", site_key=site.key, thread=found.thread, lang=wished_language())
    return html_answer(
        render_template(
            "embed/receipt.html",
            words=words,
            site=site,
            told=found.answer,
            because=found.because,
            back=back,
            receipt=receipt,
            facts=facts_of(found.answer["statement"], words),
            lang=wished_language(),
        )
    )
