"""Webhooks of a site, for its owners: where they go, trying them, what was sent, and sending it again."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from models.database import begin
from models.webhooks import CHATS, EVENTS
from service.api.webhooks import (
    STATES,
    NewWebhook,
    Redelivery,
    Rotation,
    WebhookChange,
    alter,
    end,
    listed_of,
    log_of,
    make,
    renew,
    send_again,
    send_test,
    shown,
)
from service.console.acts import note_act
from service.console.blueprint import acting, console, looking
from service.console.sessions import SignedIn
from service.console.team import check_owner
from service.keys import Caller
from service.problems import Problem, from_validation
from service.sites import find_site

PAGE_SIZE = 50
FORMATS = ("standard", *CHATS)
DID = {"save": "changed", "enable": "enabled", "disable": "disabled", "test": "tested", "delete": "deleted"}
TEXTS = ("url", "thread_prefix", "description")


def _owner(who: SignedIn, site: str) -> Caller:
    """The owner as the API's functions know who asks."""
    check_owner(who, site)
    info = find_site(site)
    if info is None:
        raise Problem(404, "There is no such site.")
    return Caller(info, who.by, "admin")


@console.get("/sites/<site>/webhooks")
def webhooks_page(site: str) -> str:
    who = looking()
    return _list(who, _owner(who, site))


def _list(who: SignedIn, owner: Caller, **about: Any) -> str:
    rows = listed_of(owner)
    for row in rows:
        row["last"] = next(iter(log_of(owner, row["id"], None, None, 1)["deliveries"]), None)
    usual = {"errors": {}, "given": {"events": ["comment.approved"]}, "formats": FORMATS, "kinds": EVENTS}
    return render_template(
        "console/webhooks.html", **{"who": who, "site": owner.site.key, "rows": rows, **usual} | about
    )


@console.post("/sites/<site>/webhooks")
def make_webhook(site: str) -> str | tuple[str, int]:
    """The secret is on this page, and on no other."""
    who = acting()
    owner = _owner(who, site)
    given = _given() | {"format": request.form.get("format", "standard")}
    try:
        kept = given if given["events"] else {name: value for name, value in given.items() if name != "events"}
        made = make(owner, NewWebhook.model_validate(kept))
    except ValidationError as error:
        return _list(who, owner, given=given, errors=_errors(error)), 422
    except Problem as problem:
        return _list(who, owner, given=given, errors={"body": problem.detail}), problem.status
    _note(who, owner, "made", made["url"])
    return _one(who, owner, made["id"], secret=made["secret"])


def _given() -> dict[str, Any]:
    return {name: request.form.get(name, "").strip() for name in TEXTS} | {"events": request.form.getlist("events")}


def _errors(error: ValidationError) -> dict[str, str]:
    """A message a field; what names no field of the form stands above it."""
    found = from_validation(error).errors
    return {each["field"].partition(".")[0]: each["message"].removeprefix("Value error, ") for each in found}


def _note(who: SignedIn, owner: Caller, did: str, url: str) -> None:
    with begin() as session:
        note_act(session, who, "settings", f"{did} the webhook to {url}", site_id=owner.site.id)


@console.get("/sites/<site>/webhooks/<webhook>")
def webhook_page(site: str, webhook: str) -> str:
    who = looking()
    return _one(who, _owner(who, site), webhook)


def _one(who: SignedIn, owner: Caller, webhook: str, **about: Any) -> str:
    row = shown(owner, webhook)
    state, cursor = request.args.get("state") or None, request.args.get("cursor") or None
    log = log_of(owner, webhook, state, cursor, PAGE_SIZE)
    usual = {"errors": {}, "given": row, "secret": "", "kinds": EVENTS, "states": STATES}
    page = {"who": who, "site": owner.site.key, "row": row, "log": log, "is_chat": row["format"] in CHATS}
    return render_template("console/webhook.html", **page | usual | about)


@console.post("/sites/<site>/webhooks/<webhook>")
def change_webhook(site: str, webhook: str) -> BaseResponse | str | tuple[str, int]:
    who = acting()
    owner, do = _owner(who, site), request.form.get("do", "")
    row = shown(owner, webhook)
    try:
        if do == "rotate":
            renewed = renew(owner, webhook, Rotation())
            _note(who, owner, "gave a new secret to", row["url"])
            return _one(who, owner, webhook, secret=renewed["secret"])
        _do(owner, webhook, do, is_chat=row["format"] in CHATS)
    except ValidationError as error:
        return _one(who, owner, webhook, given=_given(), errors=_errors(error)), 422
    except Problem as problem:
        return _one(who, owner, webhook, errors={"body": problem.detail}), problem.status
    _note(who, owner, DID[do], row["url"])
    place = f"/console/sites/{site}/webhooks"
    return redirect(place if do == "delete" else f"{place}/{webhook}", 303)


def _do(owner: Caller, webhook: str, do: str, *, is_chat: bool) -> None:
    if do == "save":
        given = _given()
        if is_chat:
            del given["events"]  # a chat hears what is flagged
        alter(owner, webhook, WebhookChange.model_validate(given))
    elif do in {"enable", "disable"}:
        alter(owner, webhook, WebhookChange(enabled=do == "enable"))
    elif do == "test":
        send_test(owner, webhook)
    elif do == "delete" and request.form.get("sure"):
        end(owner, webhook)
    elif do == "delete":
        raise Problem(422, "Tick the box beside it to say that you mean it; nothing was deleted.")
    else:
        raise Problem(422, "There is no such thing to do with a webhook.")


@console.post("/sites/<site>/webhooks/<webhook>/redeliver")
def redeliver_webhook(site: str, webhook: str) -> BaseResponse | tuple[str, int]:
    """One delivery, or the events of a range; times are UTC."""
    who = acting()
    owner = _owner(who, site)
    row = shown(owner, webhook)
    named, times = request.form.get("delivery"), {n: request.form.get(n, "") for n in ("since", "until")}
    wanted: dict[str, Any] = {name: f"{at}:00Z" if len(at) == 16 else at for name, at in times.items() if at}
    wanted |= {"deliveries": [named]} if named else {"only": request.form.get("only", "missed")}
    try:
        send_again(owner, webhook, Redelivery.model_validate(wanted))
    except ValidationError as error:
        return _one(who, owner, webhook, errors=_errors(error)), 422
    except Problem as problem:
        return _one(who, owner, webhook, errors={"body": problem.detail}), problem.status
    _note(who, owner, "sent again to", row["url"])
    return redirect(f"/console/sites/{site}/webhooks/{webhook}", 303)
