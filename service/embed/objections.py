"""The forms without JavaScript to report a comment and to send a notice of illegal content, and the
pages that tell what came of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flask import Response, abort, redirect, render_template, request, url_for
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.locales.words import Words, words_for
from models.records import Comment
from models.records.report import REASONS
from models.store.database import reading
from service.embed.blueprint import embed, html_answer, private_answer, wished_language
from service.http.form_tokens import is_page_token, issue_page_token
from service.http.problems import Problem, from_validation
from service.readers.identity import identify
from service.readers.notices import (
    MOST_EXPLANATION,
    MOST_NAME,
    FoundNotice,
    NoticeBody,
    count_notice,
    find_notice,
    give_notice,
)
from service.readers.reports import (
    MOST_WORDS,
    FoundReport,
    NewReport,
    count_report,
    file_report,
    find_report,
)
from service.sites.lookup import SiteInfo, find_site

# The categories of the form, those that comments concern most often first. What only breaks the
# site's terms is a report.
SHOWN_CATEGORIES = (
    "ILLEGAL_OR_HARMFUL_SPEECH",
    "VIOLENCE",
    "CYBER_VIOLENCE",
    "CYBER_VIOLENCE_AGAINST_WOMEN",
    "PROTECTION_OF_MINORS",
    "SELF_HARM",
    "RISK_FOR_PUBLIC_SECURITY",
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "SCAMS_AND_FRAUD",
    "CONSUMER_INFORMATION",
    "UNSAFE_AND_PROHIBITED_PRODUCTS",
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "ANIMAL_WELFARE",
    "NOT_SPECIFIED_NOTICE",
)
LIMITS = {"explanation": MOST_EXPLANATION, "name": MOST_NAME, "email": 254, "text": MOST_WORDS}


class Objected(NamedTuple):
    """The comment that a form is about."""

    id: str
    name: str
    html: str


def _published(site: SiteInfo, comment_id: str | None) -> Objected | None:
    if not comment_id or not is_id(comment_id):
        return None
    wanted = select(Comment.id, Comment.name, Comment.html).where(
        Comment.id == comment_id, Comment.site_id == site.id, Comment.status == "approved"
    )
    with reading() as session:
        row = session.execute(wanted).one_or_none()
    return row and Objected(row.id, row.name, row.html or "")


@embed.get("/sites/<site_key>/comments/<comment_id>/report")
def report_form(site_key: str, comment_id: str) -> Response:
    """Show the form to report a comment."""
    site = find_site(site_key) or abort(404)
    return _report_form(site, comment_id, {}, {})


@embed.post("/sites/<site_key>/comments/<comment_id>/report")
def send_report(site_key: str, comment_id: str) -> BaseResponse:
    """Report a comment without JavaScript. Redirect to the page of the receipt."""
    site = find_site(site_key) or abort(404)
    form = request.form
    if "token" not in form:  # the thread's page passes the reader's identity on
        return _report_form(site, comment_id, form, {})
    words = words_for(wished_language(), site.locale)
    try:
        count_report(site)
        _check_token(words, form, "report", site.key, comment_id)
        said = NewReport.model_validate(
            {"reason": form.get("reason"), "text": form.get("text", "")}
        )
        receipt = file_report(site, comment_id, said, identify(site))
    except ValidationError as error:
        return _report_form(site, comment_id, form, _told(words, from_validation(error)), 422)
    except Problem as problem:
        if problem.status == 404:
            raise
        answer = _report_form(site, comment_id, form, _told(words, problem), problem.status)
        answer.headers.update(problem.headers or {})
        return answer
    place = url_for(
        "embed.report_outcome", site_key=site.key, receipt=receipt, lang=wished_language()
    )
    return redirect(place, 303)


def _report_form(
    site: SiteInfo,
    comment_id: str,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    comment = _published(site, comment_id)
    if comment is None:
        raise Problem(404, "This comment is not published.")
    page = render_template(
        "embed/report.html",
        words=words_for(wished_language(), site.locale),
        site=site,
        comment=comment,
        form=form,
        errors=errors,
        reasons=REASONS,
        limits=LIMITS,
        lang=wished_language(),
        token=issue_page_token("report", site.key, comment.id),
    )
    return html_answer(page, status=status)


@embed.get("/sites/<site_key>/reports/<receipt>")
def report_outcome(site_key: str, receipt: str) -> Response:
    """Tell what came of a report."""
    return _outcome(site_key, find_report(receipt), "embed/report_outcome.html")


@embed.get("/sites/<site_key>/notice")
def notice_form(site_key: str) -> Response:
    """Show the form for a notice. `?comment=` names the comment."""
    site = find_site(site_key) or abort(404)
    return _notice_form(site, {"comment": request.args.get("comment", "")}, {})


@embed.post("/sites/<site_key>/notice")
def send_notice_form(site_key: str) -> BaseResponse:
    """Send a notice without JavaScript. Redirect to the page of the receipt."""
    site = find_site(site_key) or abort(404)
    form = request.form
    words = words_for(wished_language(), site.locale)
    try:
        count_notice(site)
        _check_token(words, form, "notice", site.key)
        said = NoticeBody.model_validate(
            {name: form.get(name) for name in ("comment", "explanation", "category", "name")}
            | {"email": form.get("email"), "good_faith": bool(form.get("good_faith"))}
        )
        given = give_notice(site, said, words.code)
    except ValidationError as error:
        return _notice_form(site, form, _told(words, from_validation(error)), 422)
    except Problem as problem:
        told = _told(words, problem)
        if problem.status == 404:
            told = {"comment": words.report["unpublished"]}
        answer = _notice_form(site, form, told, problem.status)
        answer.headers.update(problem.headers or {})
        return answer
    place = url_for(
        "embed.notice_outcome", site_key=site.key, receipt=given.receipt, lang=wished_language()
    )
    return redirect(place, 303)


def _notice_form(
    site: SiteInfo,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    page = render_template(
        "embed/notice.html",
        words=words_for(wished_language(), site.locale),
        site=site,
        comment=_published(site, form.get("comment")),
        form=form,
        errors=errors,
        categories=SHOWN_CATEGORIES,
        limits=LIMITS,
        lang=wished_language(),
        token=issue_page_token("notice", site.key),
    )
    return html_answer(page, status=status)


@embed.get("/sites/<site_key>/notices/<receipt>")
def notice_outcome(site_key: str, receipt: str) -> Response:
    """Tell what came of a notice, with redress and whether automated means were used."""
    return _outcome(site_key, find_notice(receipt), "embed/notice_outcome.html")


def _outcome(site_key: str, found: FoundReport | FoundNotice | None, template: str) -> Response:
    site = find_site(site_key) or abort(404)
    if found is None or found.site != site.key:
        abort(404)
    words = words_for(wished_language(), site.locale)
    return private_answer(render_template(template, words=words, site=site, told=found.answer))


def _check_token(words: Words, form: Mapping[str, str], *about: str) -> None:
    """Raise a 403 for a form that this reader did not load here."""
    if not is_page_token(form.get("token", ""), *about):
        raise Problem(403, words.report["expired"])


def _told(words: Words, problem: Problem) -> dict[str, str]:
    """Return each error in the reader's language by its field, and others under ""."""
    if problem.status == 429:
        return {"": words.report["slow"]}
    if not problem.errors:
        return {"": problem.detail}
    return {error["field"]: _in_words(words, error) for error in problem.errors}


def _in_words(words: Words, error: Mapping[str, str]) -> str:
    field, typed = error["field"], request.form.get(error["field"], "").strip()
    if field == "reason":
        return words.report["choose"]
    if not typed:
        return words.report["missing"]
    if field in LIMITS and len(typed) > LIMITS[field]:
        return words.pages["far"].replace("{n}", str(LIMITS[field]))
    if field == "email":
        return str(words.embed["wrong"])
    return words.report["unpublished"] if field == "comment" else error["message"]
