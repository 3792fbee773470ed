"""The embed's files, and the pages without JavaScript for the thread and its form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, abort, render_template, request, url_for

from models.identifiers import is_id
from models.locales.languages import languages
from models.locales.words import Words, words_for
from models.mailing.letter import site_name
from models.mailing.smtp import can_send
from models.store.published import PublishedComment, ThreadPage
from models.text.urls import origin_of, page_address
from service.comments.mending import getting
from service.comments.pages import (
    empty_page,
    page_of,
    published_page,
    read_replies,
)
from service.comments.submission import thread_key
from service.embed import assets
from service.embed.blueprint import embed, html_answer, wished_language
from service.embed.mail import choices_page
from service.http import limits
from service.http.addresses import reader
from service.http.form_tokens import issue_form_token
from service.http.listening import public_url
from service.http.problems import Problem
from service.readers.following import change_following, follows
from service.readers.identity import Identity, identify
from service.readers.tokens import MOST_TOKEN
from service.sites.lookup import SiteInfo, find_site

LIMITS = {"body": 10_000, "name": 80, "email": 254, "website": 500}
STATIC = ("pages.css", "demo.css", "demo.svg", "icon.svg")
_DEMO = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
    "'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types greenroom"
)


@embed.get("/embed.js")
def module() -> Response:
    return assets.module().answer()


@embed.get("/embed/locales/<code>.json")
def locale(code: str) -> Response:
    return assets.locale(code).answer() if code in languages() else abort(404)


@embed.get("/embed/<code>/<name>.js")
def part(code: str, name: str) -> Response:
    known = code in languages() and name in assets.PARTS
    return assets.part(name, code).answer() if known else abort(404)


@embed.get("/embed/<name>")
def static(name: str) -> Response:
    return assets.static(name).answer() if name in STATIC else abort(404)


@embed.get("/demo")
def demo() -> Response:
    """Show an article with the embed below it, under the strictest policy that a page can have."""
    words = words_for(wished_language())
    page = render_template(
        "embed/demo.html", words=words, lang=wished_language(), canonical=f"{public_url()}/demo"
    )
    return html_answer(page, policy=_DEMO)


@embed.get("/sites/<site_key>/thread")
def thread(site_key: str) -> Response:
    """Show a thread. `?thread=KEY` names it; optional are `page`, `replies` (a page of the replies
    to that comment), `reply` (to write one), `lang`, and the article's `url`.
    """
    site = find_site(site_key) or abort(404)
    return _show_thread(site, _asked_thread(), {}, None)


@embed.post("/sites/<site_key>/thread")
def known_thread(site_key: str) -> Response:
    """Show a thread to a reader whose identity is known, after following it or no longer following
    it if the form asks for that. A POST keeps the identity out of addresses.
    """
    site, key = find_site(site_key) or abort(404), _asked_thread()
    known = {"identity": request.form.get("identity", "")[:MOST_TOKEN]}
    do = request.form.get("do")
    try:
        if too_fast := limits.count_mailing("known page", site.key, reader()):
            raise too_fast
        who = identify(site, spend=do is not None)
        if who and do:
            change_following(site, who, key, do)
        answer = _show_thread(site, key, known, who)
    except Problem as problem:
        if problem.status not in {401, 429}:
            raise
        answer = form_with_errors(site, {**_linked(), **known, "thread": key}, problem)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked_thread() -> str:
    try:
        return thread_key(request.args.get("thread", ""))
    except ValueError:
        abort(404)


def _linked() -> dict[str, str]:
    """Return what the link tells of the article, and its pages pass on."""
    return {name: request.args[name] for name in ("url", "title") if name in request.args}


def _show_thread(
    site: SiteInfo, key: str, known: Mapping[str, str], who: Identity | None
) -> Response:
    page = _replies(site, key) if "replies" in request.args else _page(site, key, _page_number())
    form = {"thread": key, **known, **_linked()}
    answered = _find(page["comments"], request.args.get("reply"))
    if answered and answered["id"]:
        form["parent"] = answered["id"]
    words = words_for(wished_language(), site.locale)
    return html_answer(_thread_page(site, words, page, form, {}, who=who))


def form_with_errors(site: SiteInfo, form: Mapping[str, str], problem: Problem) -> Response:
    """Show the form again with its text, each error at its field and the others above it."""
    words = words_for(wished_language(), site.locale)
    try:
        page = _page(site, thread_key(form.get("thread", "")), None)
    except ValueError:
        page = empty_page("")
    told: dict[str, str] = {}
    for error in problem.errors or [{"field": "", "message": problem.detail}]:
        field = error["field"] if error["field"] in LIMITS else ""
        told.setdefault(field, _in_words(words, error, form, problem.status))
    if problem.status == 401:
        form = {name: value for name, value in form.items() if name != "identity"}
        told[""] = words.identity[problem.more.get("needs", "refused")]
    answer = html_answer(_thread_page(site, words, page, form, told), status=problem.status)
    answer.headers.update(problem.headers or {})
    return answer


def error_page(problem: Problem) -> Response:
    """Show an error in place of the page."""
    words = words_for(wished_language(), request.accept_languages.best_match(languages()))
    page = render_template("embed/nothing.html", words=words, problem=problem)
    answer = html_answer(page, status=problem.status)
    answer.headers.update(problem.headers or {})
    return answer


def _thread_page(  # noqa: PLR0913 — the parts of the page
    site: SiteInfo,
    words: Words,
    page: ThreadPage,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    who: Identity | None = None,
) -> str:
    article = page["url"] or page_address(form.get("url", ""), site.page_query) or ""
    return render_template(
        "embed/thread.html",
        words=words,
        site=site,
        page=page,
        form=form,
        errors=errors,
        answered=_find(page["comments"], form.get("parent")),
        article=article if origin_of(article) in site.origins else None,
        title=page["title"],
        token=form.get("token") or issue_form_token(site.key),
        limits=LIMITS,
        can_confirm=can_send() and not form.get("identity"),
        who=who,
        name=site_name(site.key, site.stored_origins),
        mail_choices=who and choices_page(site, who),
        is_following=who is not None and follows(site, who, form["thread"]),
        lang=wished_language(),
        here=partial(_here, site, form),
        follow=partial(_follow, site, form),
        feed=url_for("public.feed", site=site.key, thread=page["thread"]),
    )


def _page(site: SiteInfo, key: str, page: int | None) -> ThreadPage:
    return published_page(site.key, key, page, get=getting(site.key, key))


def _replies(site: SiteInfo, key: str) -> ThreadPage:
    top = request.args["replies"]
    get = getting(site.key, key)
    stored = read_replies(site.key, key, top, _page_number() or 1, get=get) if is_id(top) else None
    return page_of(stored) if stored else abort(404)


def _follow(site: SiteInfo, form: Mapping[str, str], link: str) -> str:
    """Return the page that shows the same as an address of the API: their parameters have the same
    names.
    """
    return _here(site, form, **dict(parse_qsl(urlsplit(link).query)))


def _here(site: SiteInfo, form: Mapping[str, str], **changes: str) -> str:
    """Return the same thread's page with other parameters."""
    kept = {name: form[name] for name in ("thread", "url", "title") if form.get(name)}
    query: dict[str, Any] = {**kept, "lang": wished_language(), **changes}
    return url_for("embed.thread", site_key=site.key, **query)


def _page_number() -> int | None:
    page = request.args.get("page", type=int)
    return page if page is not None and 1 <= page < 10**8 else None


def _in_words(words: Words, error: Mapping[str, str], form: Mapping[str, str], status: int) -> str:
    """Return an error in the reader's language, or the API's own text if we have no translation."""
    field, said = error["field"], form.get(error["field"], "").strip()
    if status == 429:
        return " ".join(words.form["slow"].replace("{when}", "").split()).replace(" .", ".")
    if status == 409:
        return str(words.embed["closed"])
    if field not in LIMITS:
        return error["message"] if status < 500 and error["message"] else str(words.embed["failed"])
    if not said:
        return str(words.form["missing"])
    if len(said) > LIMITS[field]:
        return words.pages["far"].replace("{n}", str(LIMITS[field]))
    if words.code == "en":
        return error["message"]
    ours = {"email": words.form["wrong"], "website": words.pages["site"]}
    return str(ours.get(field, error["message"]))


def _find(comments: Iterable[PublishedComment], id_: str | None) -> PublishedComment | None:
    return next((comment for comment in _all(comments) if id_ and comment["id"] == id_), None)


def _all(comments: Iterable[PublishedComment]) -> Iterator[PublishedComment]:
    for comment in comments:
        yield comment
        yield from _all(comment["replies"])
