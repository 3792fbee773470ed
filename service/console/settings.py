"""A site's settings in words, with a place to try words and patterns; saved as a new policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import redirect, render_template, request
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.abuse import lists as starter
from models.identifiers import new_id
from models.judgement import promises
from models.judgement.policy import Policy, WordsPolicy
from models.judgement.scores import SCORES
from models.records import PolicyVersion, Site
from models.store.database import begin, now, reading
from models.text.numbers import digits_to_int
from service.console import words
from service.console.blueprint import acting, console, looking
from service.console.item import check_may
from service.console.sessions import SignedIn
from service.http.problems import Problem, from_validation
from service.people.names import names_of
from service.sites import model_versions
from service.sites.model_versions import ModelCard, Models
from service.sites.policies import checked_words, save_policy
from service.sites.policy_words import (
    CHOICES,
    LEFT_EMPTY,
    LISTS,
    MAY_POST,
    NAMES,
    NUMBERS,
    SWITCHES,
    UNKNOWN_LANGUAGE,
    WEIGHTS,
)
from service.sites.replaying import Replay, replay, scores_of

MOST_BYTES = 2 * 1024 * 1024  # word lists
REPLAYED = 1000
LISTED_IN_A_LINE = ("threads.query", "abuse.first_in_languages")
WORD_LISTS = tuple(name.removeprefix("words.") for name in LISTS)


@console.get("/settings")
def settings_page() -> BaseResponse | str:
    """Show the settings of a site; without a choice, of the first one that the moderator may
    see.
    """
    who = looking()
    if not who.sites:
        raise Problem(404, "You have no role on any site.")
    return _page(who, request.args.get("site") or min(who.sites))


class Trial(NamedTuple):
    """An owner's trial without saving: a refused form, words on a text, a replay, or the name of a
    starter list whose words were added to the form.
    """

    policy: Policy | None = None
    error: str = ""
    text: str = ""
    tried: str | None = None
    replayed: Replay | None = None
    added: str = ""


NOTHING_TRIED = Trial()


def _page(who: SignedIn, site: str, trial: Trial = NOTHING_TRIED) -> str:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    with reading() as session:
        row = session.execute(select(Site).where(Site.key == site)).scalar_one()
        saved = select(PolicyVersion).where(PolicyVersion.site_id == row.id)
        versions = session.scalars(saved.order_by(PolicyVersion.version.desc()).limit(10)).all()
        names = names_of(session, {version.by for version in versions})
        scores = scores_of(session, row)
        models = [model_versions.listed(session, row.id, score) for score in SCORES]
        waiting = {found["score"]: _waiting(session, found) for found in models}
    policy = Policy.model_validate(row.policy)
    shown = trial.policy or policy
    return render_template(
        "console/settings.html",
        who=who,
        site=site,
        policy=policy,
        version=row.policy_version,
        values=_values(shown),
        lines=_lines(shown.words, trial.added),
        starters=starter.word_lists(),
        added=trial.added,
        fitted=promises.fit(shown, scores),
        numbers=NUMBERS,
        left_empty=LEFT_EMPTY,
        page_query=NAMES["threads.query"],
        names_of_settings=NAMES,
        unknown_language=UNKNOWN_LANGUAGE,
        verdicts=words.VERDICTS,
        did=words.DID,
        weights=WEIGHTS,
        switches=SWITCHES,
        choices=CHOICES,
        may_post=MAY_POST,
        versions=versions,
        models=models,
        waiting=waiting,
        names=names,
        lists=LISTS,
        error=trial.error,
        tried=trial.tried,
        replayed=trial.replayed,
        text=trial.text,
        may_change=who.may(site, "owner"),
    )


class Waiting(NamedTuple):
    """The newest model if it did not go live, with the beginnings of its examples by comment."""

    card: ModelCard
    examples: dict[str, str]


def _waiting(session: Session, found: Models) -> Waiting | None:
    newest = next(iter(found["models"]), None)
    if newest is None or newest["live"] or newest["went live"]:
        return None
    return Waiting(newest, model_versions.excerpts_of(session, newest))


def _values(policy: Policy) -> dict[str, object]:
    """Return every field of the form by its name, including values that were refused or tried."""
    values: dict[str, object] = {
        f"{part}.{name}": value
        for part, fields in policy
        if isinstance(fields, BaseModel)
        for name, value in fields
    }
    for name in SWITCHES:
        values[name] = "yes" if values[name] else "no"
    values["threads.query"] = " ".join(policy.threads.query)
    values["abuse.first_in_languages"] = " ".join(policy.abuse.first_in_languages)
    values |= {name: getattr(policy, name) for name in ("moderation", "identity", "edit_minutes")}
    values["reports_to_hold"] = f"{policy.reports_to_hold:g}"
    values["readers.reserved_names"] = "\n".join(policy.readers.reserved_names)
    values.update(request.form.to_dict())
    return values


def _lines(lists: WordsPolicy, added: str = "") -> dict[str, str]:
    """Return each list of words as its text field shows it, with the words of the starter list
    that was added.
    """
    lines = {name: request.form.get(name, "\n".join(getattr(lists, name))) for name in WORD_LISTS}
    for each in starter.word_lists():
        if each.name == added:
            present = [line for line in map(str.strip, lines["held"].splitlines()) if line]
            lines["held"] = "\n".join(dict.fromkeys([*present, *each.words]))
    return lines


@console.post("/settings/<site>")
def save(site: str) -> BaseResponse | str | tuple[str, int]:
    """Save the settings over the version that was on the screen, or try them without saving."""
    request.max_content_length = MOST_BYTES
    who = acting()
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
    with reading() as session:
        kept = session.execute(select(Site.policy).where(Site.key == site)).scalar_one()
    try:
        policy = Policy.model_validate(_changed(kept))
    except ValidationError as error:
        return _page(who, site, Trial(error=_in_words(from_validation(error)))), 422
    if request.form.get("do") == "replay":
        return _page(who, site, Trial(policy, replayed=_replay(site, policy)))
    if request.form.get("do") == "try":
        text = request.form.get("text", "")[:10_000]
        return _page(who, site, Trial(policy, text=text, tried=_try(policy.words, text)))
    if request.form.get("do") == "add":
        return _page(who, site, Trial(policy, added=request.form.get("starter", "")))
    version = digits_to_int(request.form.get("version"))
    try:
        with begin() as session:
            save_policy(session, site, policy, version=version, by=who.by)
    except Problem as problem:
        wrong = "; ".join(each["message"] for each in problem.errors) or problem.detail
        return _page(who, site, Trial(policy, wrong)), problem.status
    return redirect(f"/console/settings?site={site}", 303)


@console.post("/settings/<site>/learning")
def set_learning(site: str) -> BaseResponse:
    """Turn the training of the site's models on or off."""
    who = acting()
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
    with begin() as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        learns = request.form.get("learns") == "yes"
        model_versions.set_learning(session, site_id, learns=learns, by=who.by)
    return redirect(f"/console/settings?site={site}#models", 303)


def _in_words(problem: Problem) -> str:
    """Return each field by its name on the page, with its error."""
    wrong = [
        f"{NAMES.get(each['field'], each['field'])}: {each['message']}" for each in problem.errors
    ]
    return "; ".join(wrong) or problem.detail


def _changed(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the stored policy as JSON, with the form's changes. A part that the form lacks
    stays.
    """
    changed: dict[str, Any] = Policy.model_validate(kept).model_dump(mode="json")
    for field in ("moderation", "identity"):
        if request.form.get(field):
            changed[field] = request.form[field]
    for score in SCORES:
        if when_abstaining := request.form.get(f"{score}.when_abstaining"):
            changed[score]["when_abstaining"] = when_abstaining
    for field in (*NUMBERS, *WEIGHTS):
        if field in request.form:
            part, _, name = field.rpartition(".")
            given = request.form[field].strip()
            number = given if field in WEIGHTS else (given.replace(",", ".") or None)
            (changed[part] if part else changed)[name] = number
    for field in SWITCHES:
        if field in request.form:
            part, _, name = field.partition(".")
            changed[part][name] = request.form[field]  # "yes" and "no" are booleans to pydantic
    for field in LISTED_IN_A_LINE:
        if field in request.form:
            part, _, name = field.partition(".")
            changed[part][name] = request.form[field].replace(",", " ").split()
    for name in WORD_LISTS:
        changed["words"][name] = _typed_lines(name, changed["words"][name])
    names = changed["readers"]["reserved_names"]
    changed["readers"]["reserved_names"] = _typed_lines("readers.reserved_names", names)
    return changed


def _typed_lines(field: str, kept: list[str]) -> list[str]:
    if field not in request.form:
        return kept
    return [line for line in map(str.strip, request.form[field].splitlines()) if line]


def _replay(site: str, policy: Policy) -> Replay:
    """Return what the draft would have made of the last settled comments. Nothing changes."""
    checked_words(policy)
    with reading() as session:
        row = session.execute(select(Site).where(Site.key == site)).scalar_one()
        return replay(session, row, policy, REPLAYED)


def _try(words: WordsPolicy, text: str) -> str:
    """Return what the lists in the form find in a text."""
    from models.judgement.candidate import Candidate  # noqa: PLC0415 — RE2, for this one call
    from models.judgement.words import check, problems  # noqa: PLC0415

    if wrong := problems(words):
        return "; ".join(wrong)
    candidate = Candidate(new_id(), 0, 0, "", "", text, now(), policy=Policy(words=words))
    return check([candidate])[0].detail
