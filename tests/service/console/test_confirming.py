"""A stolen session cannot change anything important: sensitive actions need the password each time.

Every POST of the console is in one of the two tables. A new one without a row fails the first test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from models.records import Act, ApiKey, Membership, Moderator, Ticket
from models.settings import settings
from models.store.database import begin, reading
from service.console.confirming import SENSITIVE
from service.people import accounts, api_keys, tickets
from tests.caller import Client
from tests.service.signed_in import PASSWORD, SignedIn

BEN = "ben@paper.example"


class World(NamedTuple):
    """Ann is an owner with a second factor, and signed in. Ben is a moderator of her site."""

    ann: SignedIn
    secret: str
    ben_id: str
    key_id: str
    invitation_id: str
    clock: time_machine.Coordinates

    def fresh_code(self) -> str:
        """Return a code that was not used before."""
        self.clock.shift(60)
        return pyotp.TOTP(self.secret).now()


class Case(NamedTuple):
    """`send` returns the path and the fields. `says` is a part of the sentence that asks."""

    send: Callable[[World], tuple[str, dict[str, str]]]
    says: str


def another_app(world: World) -> tuple[str, dict[str, str]]:
    secret, sealed = world.ann.new_secret()
    code = pyotp.TOTP(secret).now()
    return "/account/second-factor/confirm", {"secret": sealed, "code": code}


CASES = {
    "POST /console/password": Case(
        lambda _: ("/password", {"password": "three lamps in the harbour"}), "current password"
    ),
    "POST /console/account/second-factor/confirm": Case(
        another_app, "to turn on the second factor"
    ),
    "POST /console/account/second-factor/end": Case(
        lambda _: ("/account/second-factor/end", {}), "to turn off the second factor"
    ),
    "POST /console/account/email": Case(
        lambda _: ("/account/email", {"email": "eve@evil.example"}), "to change your email address"
    ),
    "POST /console/account/recovery-codes": Case(
        lambda _: ("/account/recovery-codes", {}), "to make new recovery codes"
    ),
    "POST /console/sites/<site>/people": Case(
        lambda _: ("/sites/demo/people", {"email": "eve@evil.example", "role": "owner"}),
        "to invite eve@evil.example as an owner of demo",
    ),
    "POST /console/sites/<site>/people/<moderator_id>": Case(
        lambda world: (f"/sites/demo/people/{world.ben_id}", {"role": "owner"}),
        "to make ben@paper.example an owner of demo",
    ),
    "POST /console/sites/<site>/people/<moderator_id> remove": Case(
        lambda world: (f"/sites/demo/people/{world.ben_id}", {"role": "remove"}),
        "to remove ben@paper.example from demo",
    ),
    "POST /console/sites/<site>/keys": Case(
        lambda _: ("/sites/demo/keys", {"name": "CMS", "scope": "admin", "life": ""}),
        "to create an API key",
    ),
    "POST /console/sites/<site>/keys/<key_id>/rotate": Case(
        lambda world: (f"/sites/demo/keys/{world.key_id}/rotate", {"overlap": "24"}),
        "to rotate the API key “old”",
    ),
    "POST /console/sites/<site>/invitations/<invitation_id>/resend": Case(
        lambda world: (f"/sites/demo/invitations/{world.invitation_id}/resend", {}),
        "to send zoe@paper.example the invitation to be a viewer of demo again",
    ),
    "POST /console/sites/<site>/sign-on": Case(
        lambda _: ("/sites/demo/sign-on", {"algorithms": "HS256", "single_use": "1"}),
        "to change how demo signs its readers in",
    ),
    "POST /console/sites/<site>/sign-on/secrets": Case(
        lambda _: ("/sites/demo/sign-on/secrets", {}), "to create a sign-on secret for demo"
    ),
    "POST /console/sites/<site>/sign-in": Case(
        lambda _: ("/sites/demo/sign-in", {"second_factor": "required"}),
        "to require a second factor from everyone on demo",
    ),
}
WITHOUT_PASSWORD = {
    # These ask for a password, a code or the token of a mailed link themselves.
    "POST /console/sign-in",
    "POST /console/sign-in/code",
    "POST /console/join/<token>",
    "POST /console/forgotten",
    # These end access, or change nothing yet.
    "POST /console/sign-out",
    "POST /console/account/sessions/end",
    "POST /console/account/sessions/<session_id>/end",
    "POST /console/account/second-factor",
    "POST /console/sites/<site>/keys/<key_id>/revoke",
    "POST /console/sites/<site>/sign-on/secrets/<kid>/revoke",
    "POST /console/sites/<site>/sign-on/test",
    "POST /console/sites/<site>/invitations/<invitation_id>/withdraw",
    # These are the daily work. The log names who did it, and it can be undone.
    "POST /console/preferences",
    "POST /console/sites/<site>/rules",
    "POST /console/claims/<comment_id>",
    "POST /console/threads/<int:thread_id>",
    "POST /console/threads/<int:thread_id>/page",
    "POST /console/decisions",
    "POST /console/undo",
    "POST /console/left",
    "POST /console/taken-back",
    "POST /console/seen",
    "POST /console/comments/<comment_id>/decisions",
    "POST /console/comments/<comment_id>/block",
    "POST /console/comments/<comment_id>/notes",
    "POST /console/comments/<comment_id>/text",
    "POST /console/comments/<comment_id>/questions",
    "POST /console/notices/<notice_id>/dismiss",
    "POST /console/questions/<question_id>/answer",
    "POST /console/blocks/<block_id>/end",
    "POST /console/blocks/<block_id>/apply",
    "POST /console/batches/<batch>/undo",
    "POST /console/news/read",
    "POST /console/teach/<site>/sessions",
    "POST /console/teach/<site>/comments/<comment_id>",
    # These change how a site works. Versions of settings and models can be restored.
    "POST /console/settings/<site>",
    "POST /console/settings/<site>/back",
    "POST /console/settings/<site>/learning",
    "POST /console/sites/<site>/models/back",
    "POST /console/sites/<site>/webhooks",
    "POST /console/sites/<site>/webhooks/<webhook>",
    "POST /console/sites/<site>/webhooks/<webhook>/redeliver",
}


@pytest.fixture
def mailing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is configured; nobody listens there."""
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()


@pytest.fixture
def world(client: Client, mailing: None, clock: time_machine.Coordinates) -> World:
    accounts.add_moderator(BEN, "demo", "moderator", PASSWORD)
    ann = SignedIn(client)
    secret, _ = ann.enrol()
    with begin() as session:
        ben_id = session.scalar(select(Moderator.id).where(Moderator.email == BEN))
        key = api_keys.NewKey(("read",), "old")
        site_id = api_keys.site_id_of(session, "demo")
        key_id = api_keys.create(session, site_id, key, by="the command line").row.id
    tickets.invite("zoe@paper.example", "demo", "viewer", by="the command line")
    with reading() as session:
        invitation_id = session.scalars(select(Ticket)).one().id
    assert ben_id is not None
    return World(ann, secret, ben_id, key_id, invitation_id, clock)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(time.time(), tick=False) as clock:
        yield clock


def everything() -> list[str]:
    """Return all rows about people and keys, as text."""
    rows = []
    with reading() as session:
        for record in (Moderator, Membership, ApiKey, Ticket, Act):
            columns = record.__table__.columns
            rows += [repr(tuple(row)) for row in session.execute(select(*columns))]
    return sorted(rows)


def test_every_form_and_call_of_the_console_is_in_one_of_the_tables(client: Client) -> None:
    posts = {
        f"POST {rule.rule}": rule.endpoint
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/console/") and "POST" in (rule.methods or ())
    }
    sensitive = {route.removesuffix(" remove") for route in CASES}
    assert set(posts) == sensitive | WITHOUT_PASSWORD
    assert {posts[route] for route in sensitive} == {f"console.{name}" for name in SENSITIVE}
    assert not sensitive & WITHOUT_PASSWORD


@pytest.mark.parametrize("route", CASES)
def test_a_session_alone_changes_nothing_and_the_password_or_a_fresh_code_does(
    world: World, route: str
) -> None:
    case = CASES[route]
    path, fields = case.send(world)
    before = everything()

    asked = world.ann.form(path, **fields)
    assert asked.status_code == 403
    assert case.says in asked.text
    assert "othing" in asked.text
    refused = world.ann.form(path, current_password="not the password", **fields)
    assert refused.status_code == 403
    assert "Wrong password. Nothing was changed." in refused.text
    assert fields.get("password", "none sent") not in refused.text
    assert world.ann.form(path, current_password="000000", **fields).status_code == 403
    assert everything() == before

    assert world.ann.confirmed(path, **fields).status_code in {200, 303}
    assert everything() != before


@pytest.mark.parametrize("route", CASES)
def test_a_fresh_code_does_instead_of_the_password_but_only_once(world: World, route: str) -> None:
    code = world.fresh_code()
    path, fields = CASES[route].send(world)
    assert world.ann.form(path, current_password=code, **fields).status_code in {200, 303}
    before = everything()
    assert world.ann.form("/sites/demo/keys", current_password=code).status_code in {401, 403}
    assert everything() == before


def test_the_page_that_asks_sends_the_same_form_again(world: World) -> None:
    """The typed text is text of the page and never markup."""
    asked = world.ann.form("/sites/demo/keys", name='"><b>x', scope="read", life="30")
    assert 'name="name" value="&#34;&gt;&lt;b&gt;x"' in asked.text
    assert 'action="/console/sites/demo/keys"' in asked.text
    assert 'autocomplete="current-password"' in asked.text
    assert "or a code from your authenticator app" in asked.text


def test_a_recovery_code_is_for_signing_in_only(client: Client) -> None:
    ann = SignedIn(client)
    _, codes = ann.enrol()
    refused = ann.form("/account/second-factor/end", current_password=codes[0])
    assert refused.status_code == 403


def test_new_recovery_codes_end_the_old_ones(world: World) -> None:
    codes = world.ann.confirmed("/account/recovery-codes").text
    assert codes.count("<li>") == 10
    assert "10 recovery codes left" in world.ann.get("/account")


def test_guessing_the_password_here_is_slowed_with_the_sign_in(world: World) -> None:
    ann = world.ann
    tries = [
        ann.form("/sites/demo/keys", current_password=f"guess {number}").status_code
        for number in range(5)
    ]
    assert tries == [403, 403, 403, 429, 429]
    before = everything()
    right = ann.confirmed("/sites/demo/keys", name="CMS", scope="read", life="")
    assert right.status_code == 429
    assert "Too many wrong passwords. Try again in" in right.text
    assert everything() == before
    credentials = {"email": ann.email, "password": PASSWORD}
    assert ann.client.post("/console/sign-in", data=credentials).status_code == 429

    ann.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    elsewhere = ann.confirmed("/sites/demo/keys", name="CMS", scope="read", life="")
    assert elsewhere.status_code == 429
    assert ann.client.post("/console/sign-in", data=credentials).status_code == 200
