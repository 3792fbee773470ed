"""Every route of the console and of the API with every role, on one's own site and on another: one
table.

A new route without a row here fails the first test.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.identifiers import new_id
from models.records import Block, DecisionRecord, Moderator, Notice, Question, Site, Thread, Ticket
from models.store.database import begin, now, reading
from service.console import mailed_links, signing_in
from service.people import accounts, api_keys, tickets
from service.readers import sign_on
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all

PASSWORD = "correct horse battery"
ROLES = ("viewer", "moderator", "owner")
SCOPES = ("read", "moderate", "admin")
CONFIRMED = {"current_password": PASSWORD}
LINKS = "https://a.example https://b.example https://c.example"


class Row(NamedTuple):
    """Who may: "anyone", "account" (a signed-in person), or the least role or scope. `body` is sent
    as a form, or as JSON if `json` is true; `about` means that the address names something of a
    site.
    """

    may: str
    body: dict[str, Any] = {}  # noqa: RUF012 — never changed
    json: bool = False
    about: bool = True


CONSOLE = {
    "GET /console/static/<name>": Row("anyone", about=False),
    "GET /console/sign-in": Row("anyone", about=False),
    "POST /console/sign-in": Row("anyone", {"email": "x@y.example", "password": "no"}, about=False),
    "POST /console/sign-in/code": Row("anyone", about=False),
    "GET /console/forgotten": Row("anyone", about=False),
    "POST /console/forgotten": Row("anyone", about=False),
    "GET /console/join/<token>": Row("anyone", about=False),
    "POST /console/join/<token>": Row("anyone", {"password": "short"}, about=False),
    "GET /console/password": Row("account", about=False),
    "POST /console/password": Row("account", {"password": "short", **CONFIRMED}, about=False),
    "GET /console/account": Row("account", about=False),
    "POST /console/account/second-factor": Row("account", about=False),
    "POST /console/account/second-factor/confirm": Row("account", CONFIRMED, about=False),
    "POST /console/account/second-factor/end": Row("account", CONFIRMED, about=False),
    "POST /console/account/email": Row("account", CONFIRMED, about=False),
    "POST /console/account/recovery-codes": Row("account", CONFIRMED, about=False),
    "POST /console/account/sessions/end": Row("account", about=False),
    "POST /console/account/sessions/<session_id>/end": Row("account", about=False),
    "POST /console/preferences": Row("account", json=True, about=False),
    "GET /console/": Row("account", about=False),
    "GET /console/rows": Row("account", about=False),
    "GET /console/counts": Row("account", about=False),
    "GET /console/changes": Row("account", about=False),
    "GET /console/recent": Row("account", about=False),
    "GET /console/blocks": Row("account", about=False),
    "GET /console/people": Row("account", about=False),
    "GET /console/log": Row("account", about=False),
    "GET /console/log.csv": Row("account", about=False),
    "GET /console/transparency": Row("account", about=False),
    "GET /console/transparency.csv": Row("account", about=False),
    "GET /console/transparency.json": Row("account", about=False),
    "GET /console/quality": Row("account", about=False),
    "GET /console/quality.csv": Row("account", about=False),
    "GET /console/settings": Row("account", about=False),
    "GET /console/teach": Row("account", about=False),
    "POST /console/teach/<site>/sessions": Row("moderator"),
    "POST /console/teach/<site>/comments/<comment_id>": Row("moderator", {"label": "skip"}),
    "GET /console/c/<comment_id>": Row("viewer"),
    "GET /console/items/<comment_id>": Row("viewer"),
    "GET /console/items/<comment_id>/score": Row("viewer"),
    "GET /console/threads/<int:thread_id>": Row("viewer"),
    "POST /console/claims/<comment_id>": Row("viewer", json=True),
    "POST /console/threads/<int:thread_id>": Row("moderator", {"way": "closed"}),
    "POST /console/threads/<int:thread_id>/page": Row("moderator", {"title": "A title"}),
    "POST /console/decisions": Row(
        "moderator", {"verdict": "approve", "items": [{"id": "COMMENT", "version": 99}]}, json=True
    ),
    "POST /console/undo": Row("moderator", {"decisions": ["DECISION"]}, json=True),
    "POST /console/left": Row("moderator", {"items": ["COMMENT"]}, json=True),
    "POST /console/taken-back": Row("moderator", {"items": ["COMMENT"]}, json=True),
    "POST /console/seen": Row("moderator", {"items": ["COMMENT"]}, json=True),
    "POST /console/comments/<comment_id>/decisions": Row(
        "moderator", {"verdict": "approve", "version": "99"}
    ),
    "POST /console/comments/<comment_id>/block": Row(
        "moderator", {"kind": "word", "value": "x", "days": "1"}
    ),
    "POST /console/comments/<comment_id>/notes": Row("moderator", {"text": "Look"}),
    "POST /console/comments/<comment_id>/text": Row("moderator", {"body": "New", "version": "99"}),
    "POST /console/comments/<comment_id>/questions": Row(
        "moderator", {"text": "Why?", "whom": "owner"}
    ),
    "POST /console/questions/<question_id>/answer": Row("moderator", {"text": "Because"}),
    "POST /console/notices/<notice_id>/dismiss": Row("moderator", {"answer": "No"}),
    "POST /console/blocks/<block_id>/apply": Row("moderator"),
    "POST /console/blocks/<block_id>/end": Row("moderator"),
    "POST /console/batches/<batch>/undo": Row("moderator"),
    "POST /console/settings/<site>": Row("owner", {"do": "try", "text": "x"}),
    "POST /console/settings/<site>/back": Row("owner", {"version": "9"}),
    "POST /console/sites/<site>/models/back": Row("owner", {"version": "none"}),
    "POST /console/settings/<site>/learning": Row("owner", {"learns": "yes"}),
    "POST /console/news/read": Row("account", about=False),
    "POST /console/sites/<site>/people": Row(
        "owner", {"email": "new@paper.example", "role": "viewer", **CONFIRMED}
    ),
    "POST /console/sites/<site>/people/<moderator_id>": Row(
        "owner", {"role": "viewer", **CONFIRMED}
    ),
    "POST /console/sites/<site>/invitations/<invitation_id>/resend": Row("owner", CONFIRMED),
    "POST /console/sites/<site>/invitations/<invitation_id>/withdraw": Row("owner"),
    "POST /console/sites/<site>/sign-in": Row("owner", {"second_factor": "required", **CONFIRMED}),
    "GET /console/sites/<site>/webhooks": Row("owner"),
    "POST /console/sites/<site>/webhooks": Row("owner", {"url": "nowhere"}),
    "GET /console/sites/<site>/webhooks/<webhook>": Row("owner"),
    "POST /console/sites/<site>/webhooks/<webhook>": Row("owner", {"do": "test"}),
    "POST /console/sites/<site>/webhooks/<webhook>/redeliver": Row(
        "owner", {"since": "2026-01-01T00:00"}
    ),
    "GET /console/sites/<site>/rules": Row("viewer"),
    "POST /console/sites/<site>/rules": Row("owner"),
    "GET /console/sites/<site>/keys": Row("owner"),
    "POST /console/sites/<site>/keys": Row("owner", {"name": "CMS", **CONFIRMED}),
    "POST /console/sites/<site>/keys/<key_id>/rotate": Row("owner", {"overlap": "1", **CONFIRMED}),
    "POST /console/sites/<site>/keys/<key_id>/revoke": Row("owner"),
    "GET /console/sites/<site>/sign-on": Row("owner"),
    "POST /console/sites/<site>/sign-on": Row("owner", {"algorithms": "HS256", **CONFIRMED}),
    "POST /console/sites/<site>/sign-on/secrets": Row("owner", CONFIRMED),
    "POST /console/sites/<site>/sign-on/secrets/<kid>/revoke": Row("owner"),
    "POST /console/sites/<site>/sign-on/test": Row("owner"),
    "POST /console/sign-out": Row("account", about=False),
}
API = {
    "GET /v1/sites/<site>/form": Row("anyone"),
    "OPTIONS /v1/sites/<site>/form": Row("anyone"),
    "POST /v1/sites/<site>/comments": Row("anyone"),
    "GET /v1/sites/<site>/comments": Row("anyone"),
    "OPTIONS /v1/sites/<site>/comments": Row("anyone"),
    "GET /v1/sites/<site>/counts": Row("anyone"),
    "OPTIONS /v1/sites/<site>/counts": Row("anyone"),
    "GET /v1/receipts/<receipt>": Row("anyone"),
    "POST /v1/sites/<site>/confirmations": Row("anyone", {"email": "x@y.example"}, json=True),
    "OPTIONS /v1/sites/<site>/confirmations": Row("anyone"),
    "POST /v1/sites/<site>/confirmations/key": Row(
        "anyone", {"confirmation": "cf_wrong"}, json=True
    ),
    "OPTIONS /v1/sites/<site>/confirmations/key": Row("anyone"),
    "PUT /v1/sites/<site>/following": Row("anyone", {"thread": "/x", "following": True}, json=True),
    "GET /v1/sites/<site>/following": Row("anyone"),
    "OPTIONS /v1/sites/<site>/following": Row("anyone"),
    "POST /v1/sites/<site>/comments/<comment_id>/reports": Row("anyone"),
    "OPTIONS /v1/sites/<site>/comments/<comment_id>/reports": Row("anyone"),
    "GET /v1/reports/<receipt>": Row("anyone"),
    "POST /v1/sites/<site>/notices": Row("anyone"),
    "OPTIONS /v1/sites/<site>/notices": Row("anyone"),
    "GET /v1/notices/<receipt>": Row("anyone"),
    "GET /v1/sites/<site>/notices": Row("moderate"),
    "POST /v1/sites/<site>/notices/<notice_id>/dismiss": Row("moderate", json=True),
    "OPTIONS /v1/receipts/<receipt>/appeal": Row("anyone"),
    "POST /v1/receipts/<receipt>/appeal": Row("anyone", {"text": "Why?"}, json=True),
    "PATCH /v1/receipts/<receipt>": Row("anyone", {"body": "New"}, json=True),
    "DELETE /v1/receipts/<receipt>": Row("anyone"),
    "OPTIONS /v1/receipts/<receipt>": Row("anyone"),
    "GET /v1/wordlists": Row("anyone"),
    "GET /v1/sites/<site>/events": Row("read"),
    "GET /v1/sites/<site>/queue": Row("moderate"),
    "POST /v1/sites/<site>/queue/teach": Row("moderate"),
    "GET /v1/sites/<site>/quality": Row("read"),
    "GET /v1/sites/<site>/transparency": Row("read"),
    "GET /v1/sites/<site>/quality/public": Row("anyone"),
    "GET /v1/sites/<site>/comments/<comment_id>": Row("moderate"),
    "GET /v1/sites/<site>/comments/<comment_id>/explanation": Row("moderate"),
    "POST /v1/sites/<site>/comments/<comment_id>/decisions": Row(
        "moderate", {"verdict": "maybe"}, json=True
    ),
    "POST /v1/sites/<site>/comments/<comment_id>/undo": Row("moderate", {"decision": 1}, json=True),
    "GET /v1/sites/<site>/lists/<tab>": Row("moderate"),
    "POST /v1/sites/<site>/seen": Row("moderate", {"items": []}, json=True),
    "POST /v1/sites/<site>/decisions": Row("moderate", {"verdict": "maybe"}, json=True),
    "POST /v1/sites/<site>/decisions/undo": Row("moderate", {"batch": 1}, json=True),
    "GET /v1/sites/<site>/comments/<comment_id>/notes": Row("moderate"),
    "POST /v1/sites/<site>/comments/<comment_id>/notes": Row("moderate", {"text": " "}, json=True),
    "POST /v1/sites/<site>/comments/<comment_id>/questions": Row(
        "moderate", {"text": "Why?"}, json=True
    ),
    "GET /v1/sites/<site>/questions": Row("moderate"),
    "POST /v1/sites/<site>/questions/<question_id>/answer": Row(
        "moderate", {"text": ""}, json=True
    ),
    "GET /v1/sites/<site>/comments/<comment_id>/others": Row("moderate"),
    "GET /v1/sites/<site>/blocks": Row("moderate"),
    "POST /v1/sites/<site>/blocks": Row("moderate", {"kind": "colour"}, json=True),
    "POST /v1/sites/<site>/blocks/<block_id>/end": Row("moderate", json=True),
    "GET /v1/sites/<site>/people": Row("admin"),
    "POST /v1/sites/<site>/people": Row("admin", {"email": "no", "role": "viewer"}, json=True),
    "PUT /v1/sites/<site>/people/<moderator_id>": Row("admin", {"role": "king"}, json=True),
    "DELETE /v1/sites/<site>/people/<moderator_id>": Row("admin"),
    "POST /v1/sites/<site>/invitations/<invitation_id>/resend": Row("admin"),
    "DELETE /v1/sites/<site>/invitations/<invitation_id>": Row("admin"),
    "GET /v1/sites/<site>/sign-in": Row("admin"),
    "PUT /v1/sites/<site>/sign-in": Row("admin", {"second_factor_required": 1}, json=True),
    "GET /v1/sites/<site>/keys": Row("admin"),
    "POST /v1/sites/<site>/keys": Row("admin", {"name": 1}, json=True),
    "POST /v1/sites/<site>/keys/<key_id>/rotate": Row("admin", {"overlap": 1}, json=True),
    "DELETE /v1/sites/<site>/keys/<key_id>": Row("admin"),
    "GET /v1/sites/<site>/log": Row("moderate"),
    "PATCH /v1/sites/<site>/threads": Row("moderate", {"thread": 1}, json=True),
    "GET /v1/sites/<site>/policy": Row("admin"),
    "PUT /v1/sites/<site>/policy": Row("admin", {"nothing": 1}, json=True),
    "PATCH /v1/sites/<site>/policy": Row("admin", {"nothing": 1}, json=True),
    "POST /v1/sites/<site>/policy/back": Row("admin", {"version": "x"}, json=True),
    "GET /v1/sites/<site>/policy/versions": Row("admin"),
    "POST /v1/sites/<site>/policy/replay": Row("admin", {"nothing": 1}, json=True),
    "GET /v1/sites/<site>/models": Row("admin"),
    "PUT /v1/sites/<site>/models/live": Row("admin", {"version": 1}, json=True),
    "POST /v1/sites/<site>/models/back": Row("admin", {"nothing": 1}, json=True),
    "PUT /v1/sites/<site>/models/learning": Row("admin", {"learns": 1}, json=True),
    "PATCH /v1/sites/<site>/comments/<comment_id>": Row("moderate", {"body": 1}, json=True),
    "DELETE /v1/sites/<site>/comments/<comment_id>": Row("admin"),
    "GET /v1/sites/<site>/events/digest": Row("read"),
    "GET /v1/sites/<site>/webhooks": Row("admin"),
    "POST /v1/sites/<site>/webhooks": Row("admin", {"url": 1}, json=True),
    "GET /v1/sites/<site>/webhooks/<webhook_id>": Row("admin"),
    "PATCH /v1/sites/<site>/webhooks/<webhook_id>": Row("admin", {"url": 1}, json=True),
    "POST /v1/sites/<site>/webhooks/<webhook_id>/rotate": Row("admin", json=True),
    "POST /v1/sites/<site>/webhooks/<webhook_id>/test": Row("admin", json=True),
    "POST /v1/sites/<site>/webhooks/<webhook_id>/check": Row("admin", json=True),
    "GET /v1/sites/<site>/webhooks/<webhook_id>/deliveries": Row("admin"),
    "POST /v1/sites/<site>/webhooks/<webhook_id>/redeliver": Row("admin", {"since": 1}, json=True),
    "DELETE /v1/sites/<site>/webhooks/<webhook_id>": Row("admin"),
}


class World(NamedTuple):
    """The objects that the table's addresses name; all belong to the site `demo`."""

    client: Client
    names: dict[str, str]


@pytest.fixture
def world(client: Client, moderator: Caller) -> World:
    signing_in.guesses._tries.clear()
    mailed_links.asked._tries.clear()
    registering.add_site("other", ["https://other.example"])
    comment = posted(client, body=LINKS)
    screen_all()
    for role in ROLES:
        accounts.add_moderator(f"{role}@paper.example", "demo", role, PASSWORD)
        accounts.add_moderator(f"{role}@other.example", "other", role, PASSWORD)
    with begin() as session:
        site = session.query(Site.id).filter(Site.key == "demo").scalar()
        question = Question(
            site_id=site, comment_id=comment, whom="owner", text="Why?", by="moderator:x"
        )
        block = Block(
            site_id=site, kind="word", stance="block", value="x", label="x", by="moderator:x"
        )
        notice = Notice(
            site_id=site, comment_id=comment, category="VIOLENCE", explanation="x", due_at=now()
        )
        session.add_all([question, block, notice])
        session.flush()
        names = {"question_id": question.id, "block_id": block.id, "notice_id": notice.id}
    with reading() as session:
        names |= {
            "comment_id": comment,
            "DECISION": session.query(DecisionRecord.id).scalar(),
            "thread_id": str(session.query(Thread.id).scalar()),
            "moderator_id": session.query(Moderator.id)
            .filter(Moderator.email == "moderator@paper.example")
            .scalar(),
        }
    webhook = moderator.call(
        "POST", "/webhooks", json={"url": "https://hooks.example/", "events": ["comment.approved"]}
    )
    assert webhook.json is not None
    with begin() as session:
        made = api_keys.create(session, site, api_keys.NewKey(("read",)), by="moderator:x")
    names["key_id"] = made.row.id
    names["kid"] = sign_on.kid_of(sign_on.create_secret(sign_on.site_id_of("demo"), by="tests"))
    names["webhook"] = names["webhook_id"] = webhook.json["id"]
    names |= {
        "site": "demo",
        "name": "console.css",
        "COMMENT": comment,
        "receipt": "x",
        "tab": "review",
    }
    decided, names["batch"] = posted(client, body=f"Another {LINKS}"), new_id()
    ruling = {"verdict": "approve", "items": [{"id": decided}], "batch": names["batch"]}
    assert moderator.call("POST", "/decisions", json=ruling).status_code == 200
    names["token"] = tickets.invite("joins@paper.example", "demo", "viewer", by="test").rpartition(
        "/"
    )[2]
    return World(client, names)


def call(
    world: World, route: str, row: Row, headers: dict[str, str], csrf: str = ""
) -> TestResponse:
    method, _, rule = route.partition(" ")
    names = {**world.names, "invitation_id": invitation_id()}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: names.get(found[1], "x"), rule)
    if row.json:
        body = re.sub("COMMENT|DECISION", lambda found: world.names[found[0]], _json(row.body))
        sent: dict[str, Any] = {"data": body, "content_type": "application/json"}
    else:
        sent = {"data": {**row.body, "csrf": csrf}} if method == "POST" else {}
    return world.client.open(
        path, method=method, headers={**headers, "X-Greenroom-CSRF": csrf}, **sent
    )


def invitation_id() -> str:
    """Looked up each time, because an invitation that is sent again has another id."""
    with reading() as session:
        tickets = session.scalars(select(Ticket).where(Ticket.role.is_not(None))).all()
    return tickets[0].id if tickets else "x"


def _json(body: dict[str, Any]) -> str:
    import json

    return json.dumps(body)


def sign_in(client: Client, email: str) -> str:
    """Return the form token of the new session."""
    client.post("/console/sign-in", data={"email": email, "password": PASSWORD})
    found = re.search(r'data-csrf="(\w+)"', client.get("/console/").text)
    assert found, email
    return found[1]


def is_let_in(answer: TestResponse) -> bool:
    """Whether the request was allowed. The table's values may be outdated or nonsense, but the
    answer must not be that it is forbidden.
    """
    return answer.status_code < 400 or answer.status_code in {409, 422}


def test_every_route_has_its_row(client: Client) -> None:
    rules = {
        f"{method} {rule.rule}"
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if rule.rule.startswith(("/console", "/v1"))
    }
    assert rules == {*CONSOLE, *API}


def test_without_an_account_only_the_sign_in_pages_are_open(world: World) -> None:
    for route, row in CONSOLE.items():
        answer = call(world, route, row, {})
        if row.may == "anyone":
            assert answer.status_code not in {401, 404, 500}, route
        elif route.startswith("GET"):
            assert answer.status_code == 303, route
            assert answer.headers["Location"].startswith("/console/sign-in"), route
        else:
            assert answer.status_code == 401, route


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_its_row_says_and_no_more(world: World, role: str) -> None:
    csrf = sign_in(world.client, f"{role}@paper.example")
    for route, row in CONSOLE.items():
        if row.may == "anyone":
            continue
        if route.startswith("POST") and row.may != "anyone":
            forged = call(world, route, row, {}, csrf="0" * 64)
            assert forged.status_code == 403, f"{route} takes a forged token"
        answer = call(world, route, row, {}, csrf)
        if row.may == "account" or ROLES.index(role) >= ROLES.index(row.may):
            assert is_let_in(answer) or (row.may == "account" and not row.about), (
                f"{route}: {answer.status_code}"
            )
        else:
            assert answer.status_code == 403, f"{route}: {answer.status_code}"
        assert answer.status_code != 500, route


@pytest.mark.parametrize("role", ROLES)
def test_objects_of_another_site_do_not_exist_for_any_role(world: World, role: str) -> None:
    csrf = sign_in(world.client, f"{role}@other.example")
    for route, row in CONSOLE.items():
        answer = call(world, route, row, {}, csrf)
        if row.about and row.may != "anyone":
            assert answer.status_code == 404, f"{route}: {answer.status_code}"
        if row.may == "account":
            assert world.names["comment_id"] not in answer.text, route
            assert "paper.example" not in answer.text, route


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_may_do_what_its_row_says_on_its_own_site_and_nothing_on_another(
    world: World, scope: str
) -> None:
    own = {"Authorization": f"Bearer {accounts.create_key('demo', scope)}"}
    others = {"Authorization": f"Bearer {accounts.create_key('other', scope)}"}
    for route, row in API.items():
        if row.may == "anyone":
            continue
        assert call(world, route, row, {}).status_code == 401, route
        assert call(world, route, row, others).status_code == 403, route
        answer = call(world, route, row, own)
        if SCOPES.index(scope) >= SCOPES.index(row.may):
            assert is_let_in(answer), f"{route}: {answer.status_code}"
        else:
            assert answer.status_code == 403, f"{route}: {answer.status_code}"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sites/demo/comments/x/reports",
        "/v1/sites/demo/notices",
        "/v1/sites/demo/confirmations",
        "/v1/sites/demo/confirmations/key",
        "/v1/receipts/x/appeal",
        "/sites/demo/mine",
    ],
)
def test_a_strangers_body_is_at_most_as_long_as_a_comments(client: Client, path: str) -> None:
    answer = client.post(path, data=b" " * 129 * 1024, content_type="application/json")
    assert answer.status_code == 413
