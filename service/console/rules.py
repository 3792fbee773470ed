"""The rules of a site, for its owners: adding, changing and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, render_template, request
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from models.judgement.policy import Policy
from models.judgement.rules import MOST_RULES, REASONS, Rule
from models.records import Site
from models.settling.site_rules import default_rules, rules_of
from models.store.database import begin, reading
from models.text.numbers import digits_to_int
from service.console import words
from service.console.blueprint import acting, console, looking
from service.console.item import check_may
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.sites.policies import change_parts

FIELDS = ("key", "title", "text", "ground", "reason")


@console.get("/sites/<site>/rules")
def rules_page(site: str) -> str:
    return _page(looking(), site)


def _page(
    who: SignedIn, site: str, *, given: Sequence[dict[str, str]] | None = None, error: str = ""
) -> str:
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    with reading() as session:
        row = session.execute(select(Site).where(Site.key == site)).scalar_one()
        policy, locale, version = Policy.model_validate(row.policy), row.locale, row.policy_version
    rules = [rule.model_dump() for rule in rules_of(policy.rules, locale)]
    return render_template(
        "console/rules.html",
        who=who,
        site=site,
        rules=rules if given is None else given,
        version=version,
        most=MOST_RULES,
        error=error,
        reasons=words.REASONS,
        help=words.REASON_HELP,
        is_default=not policy.rules,
        may_change=who.may(site, "owner"),
    )


@console.post("/sites/<site>/rules")
def save_rules(site: str) -> BaseResponse | tuple[str, int]:
    """Save the rules over the version that was on the screen. A rule without a title is removed."""
    who = acting()
    if site not in who.sites:
        raise Problem(404, "There is no such site.")
    check_may(who, site, "owner")
    given = _given()
    try:
        rules = [Rule.model_validate(rule) for rule in given if rule["title"].strip()]
        with begin() as session:
            locale = session.execute(select(Site.locale).where(Site.key == site)).scalar_one()
            own = [] if tuple(rules) == default_rules(locale) else rules
            patch = {
                "rules": [rule.model_dump(mode="json") for rule in own],
                "version": digits_to_int(request.form.get("version")),
            }
            change_parts(session, site, patch, by=who.by)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        said = f"{place}: {wrong['msg']}" if place else str(wrong["msg"])
        return _page(who, site, given=given, error=said), 422
    except Problem as problem:
        said = "; ".join(each["message"] for each in problem.errors) or problem.detail
        return _page(who, site, given=given, error=said), problem.status
    return redirect(f"/console/sites/{site}/rules", 303)


def _given() -> list[dict[str, str]]:
    """Return the rules as they were typed, one for each row of the form."""
    columns = [request.form.getlist(name)[: MOST_RULES + 1] for name in FIELDS]
    rows = [dict(zip(FIELDS, values, strict=True)) for values in zip(*columns, strict=False)]
    for row in rows:
        row["key"] = row["key"].strip() or _key_of(row["title"])
        if row["reason"] not in REASONS:
            row["reason"] = "other"
    return rows


def _key_of(title: str) -> str:
    """Return a key for a new rule: its title in letters and digits that every program takes."""
    letters = [letter if letter.isascii() and letter.isalnum() else " " for letter in title.lower()]
    return "-".join("".join(letters).split())[:40].strip("-") or "rule"
