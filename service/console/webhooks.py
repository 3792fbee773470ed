"""Webhooks of a site, for its owners: their settings, tests, delivery log, and sending events
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from flask import redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from models.store.database import now, reading
from models.text.urls import host_of
from models.webhooks.owed import BY_HAND, CHATS, EVENTS, MADE_SO, troubled
from service.console.blueprint import acting, console, looking
from service.console.sessions import SignedIn
from service.console.team import check_owner
from service.http.api_keys import Caller
from service.http.problems import Problem, from_validation
from service.sites.lookup import find_site
from service.webhooks.delivery_log import log_of
from service.webhooks.endpoints import (
    alter,
    checked,
    end,
    listed_of,
    make,
    renew,
    send_test,
    shown,
)
from service.webhooks.redelivery import send_again
from service.webhooks.shapes import (
    STATES,
    Checked,
    NewWebhook,
    Redelivery,
    Rotation,
    ShownDelivery,
    WebhookChange,
)

Given = dict[str, object]  # what a form says, in the shape that the API takes

PAGE_SIZE = 50
FORMATS = ("standard", *CHATS)
TEXTS, TICKS = ("url", "thread_prefix", "description"), ("ordered", "coalesce", "ed25519")
EPOCH = "2000-01-01T00:00:00Z"


class Trouble(NamedTuple):
    """A webhook that fails or that was disabled because it failed."""

    site: str
    id: str
    host: str
    why: str | None
    since: datetime | None


@console.app_template_global()
def webhook_troubles(who: SignedIn) -> list[Trouble]:
    """Return the webhooks that need their owner. No other role could do anything about them."""
    owned = [site for site in who.sites if who.may(site, "owner")]
    with reading() as session:
        rows = troubled(session, owned, now()) if owned else []
    return [
        Trouble(site, row.id, host_of(row.url), row.disabled_why, row.failing_since)
        for site, row in rows
    ]


def _owner(who: SignedIn, site: str) -> Caller:
    """Return the owner as the caller for the API's functions."""
    check_owner(who, site)
    info = find_site(site)
    if info is None:
        raise Problem(404, "There is no such site.")
    return Caller(info, who.actor, ("admin",))


@console.get("/sites/<site>/webhooks")
def webhooks_page(site: str) -> str:
    who = looking()
    return _list(who, _owner(who, site))


def _list(
    who: SignedIn,
    owner: Caller,
    *,
    given: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    """Show all webhooks of the site. A refused form shows again what was `given`."""
    return render_template(
        "console/webhooks.html",
        who=who,
        site=owner.site.key,
        rows=[{**row, "last": _last(owner, row["id"])} for row in listed_of(owner)],
        given=given or {"events": ["comment.approved"]},
        errors=errors or {},
        formats=FORMATS,
        kinds=EVENTS,
    )


def _last(owner: Caller, webhook: str) -> ShownDelivery | None:
    return next(iter(log_of(owner, webhook, None, None, 1)["deliveries"]), None)


@console.post("/sites/<site>/webhooks")
def make_webhook(site: str) -> str | tuple[str, int]:
    """Create a webhook and show its secret. No other page shows it."""
    who = acting()
    owner = _owner(who, site)
    given = _given() | {"format": request.form.get("format", "standard")}
    try:
        kept = (
            given
            if given["events"]
            else {name: value for name, value in given.items() if name != "events"}
        )
        made = make(owner, NewWebhook.model_validate(kept))
    except ValidationError as error:
        return _list(who, owner, given=given | _typed(), errors=_errors(error)), 422
    except Problem as problem:
        return _list(
            who, owner, given=given | _typed(), errors={"body": problem.detail}
        ), problem.status
    return _one(who, owner, made["id"], secret=made["secret"])


def _given() -> Given:
    """Return the form in the API's shape. A value that cannot be parsed stays text, and is refused
    as such.
    """
    form = request.form
    given: Given = {name: form.get(name, "").strip() for name in TEXTS}
    given |= {name: name in form for name in TICKS} | {"events": form.getlist("events")}
    given["rate"] = _number(form.get("rate", "").strip())
    if "headers" in form and (form["headers"].strip() or "no_headers" in form):
        given["headers"] = dict(
            _header(line) for line in form["headers"].splitlines() if line.strip()
        )
    return given


def _typed() -> dict[str, str]:
    """Return what a refused form shows again as it was typed; stored header values are never
    shown.
    """
    return {"typed_headers": request.form.get("headers", "")}


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _errors(error: ValidationError) -> dict[str, str]:
    """Return one message per field; an error without a field of the form is shown above it."""
    found = from_validation(error).errors
    return {
        each["field"].partition(".")[0]: each["message"].removeprefix("Value error, ")
        for each in found
    }


@console.get("/sites/<site>/webhooks/<webhook>")
def webhook_page(site: str, webhook: str) -> str:
    who = looking()
    return _one(who, _owner(who, site), webhook)


def _one(  # noqa: PLR0913 — the parts of one page
    who: SignedIn,
    owner: Caller,
    webhook: str,
    *,
    given: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
    secret: str = "",
    found: Checked | None = None,
) -> str:
    """Show one webhook, its settings and its log. A new `secret` is shown only on this page."""
    row = shown(owner, webhook)
    state, cursor = request.args.get("state") or None, request.args.get("cursor") or None
    return render_template(
        "console/webhook.html",
        who=who,
        site=owner.site.key,
        row=row,
        log=log_of(owner, webhook, state, cursor, PAGE_SIZE),
        is_chat=row["format"] in CHATS,
        host=host_of(row["url"]),
        by_hand=row["disabled_why"] in {BY_HAND, MADE_SO},
        given=given or row,
        errors=errors or {},
        secret=secret,
        found=found,
        kinds=EVENTS,
        states=STATES,
    )


@console.post("/sites/<site>/webhooks/<webhook>")
def change_webhook(site: str, webhook: str) -> BaseResponse | str | tuple[str, int]:
    who = acting()
    owner, do = _owner(who, site), request.form.get("do", "")
    row = shown(owner, webhook)
    is_chat = row["format"] in CHATS
    try:
        if do == "rotate":
            return _one(who, owner, webhook, secret=renew(owner, webhook, Rotation())["secret"])
        if do == "check":
            return _one(who, owner, webhook, found=checked(owner, webhook))
        _do(owner, webhook, do, is_chat=is_chat)
    except ValidationError as error:
        return _one(
            who, owner, webhook, given=row | _given() | _typed(), errors=_errors(error)
        ), 422
    except Problem as problem:
        given = row | _given() | _typed() if do == "save" else row
        return _one(
            who, owner, webhook, given=given, errors={"body": problem.detail}
        ), problem.status
    place = f"/console/sites/{site}/webhooks"
    return redirect(place if do == "delete" else f"{place}/{webhook}", 303)


def _do(owner: Caller, webhook: str, do: str, *, is_chat: bool) -> None:
    if do == "save":
        given = _given()
        if is_chat:
            given = {name: value for name, value in given.items() if name not in {"events", *TICKS}}
        alter(owner, webhook, WebhookChange.model_validate(given))
    elif do in {"enable", "disable"}:
        alter(owner, webhook, WebhookChange(enabled=do == "enable"))
    elif do == "test":
        send_test(owner, webhook)
    elif do == "delete" and request.form.get("sure"):
        end(owner, webhook)
    elif do == "delete":
        raise Problem(422, "Nothing was deleted. Tick the box to confirm.")
    else:
        raise Problem(422, "There is no such action for a webhook.")


@console.post("/sites/<site>/webhooks/<webhook>/redeliver")
def redeliver_webhook(site: str, webhook: str) -> BaseResponse | tuple[str, int]:
    """Send some deliveries again, all dead ones, or the events of a range; times are UTC."""
    who = acting()
    owner = _owner(who, site)
    try:
        put = send_again(owner, webhook, Redelivery.model_validate(_wanted()))
    except ValidationError as error:
        return _one(who, owner, webhook, errors=_errors(error)), 422
    except Problem as problem:
        return _one(who, owner, webhook, errors={"body": problem.detail}), problem.status
    told = urlencode({"again": put["count"], "more": put["more_since"] or ""})
    return redirect(f"/console/sites/{site}/webhooks/{webhook}?{told}#log", 303)


def _wanted() -> Given:
    form = request.form
    if named := form.getlist("delivery"):
        return {"deliveries": named}
    if "all_dead" in form:
        return {"since": EPOCH, "only": "failed"}
    times = {name: form.get(name, "") for name in ("since", "until")}
    wanted: Given = {name: f"{at}:00Z" if len(at) == 16 else at for name, at in times.items() if at}
    wanted |= {"only": form.get("only", "missed"), "newest_first": "newest_first" in form}
    return wanted | ({"types": types} if (types := form.getlist("types")) else {})
