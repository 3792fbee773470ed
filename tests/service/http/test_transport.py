"""Over https, browsers are told to keep using it, and the session's cookie is bound to the host."""

from __future__ import annotations

import pytest
from flask import Flask

from models.settings import settings
from service.app import create_app
from service.console import signing_in
from service.http.transport import STRICT
from service.people import accounts
from tests.caller import Client, client_of
from tests.service.signed_in import PASSWORD

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SECURE_URL = "https://comments.paper.example"
EVERYWHERE = [
    "/v1/sites/demo/comments?thread=/x",
    "/v1/sites/nowhere/form",
    "/v1/sites/demo/policy",
    "/health/live",
    "/openapi.json",
    "/docs",
    "/embed.js",
    "/demo",
    "/sites/demo/thread?thread=/x",
    "/console/",
    "/console/sign-in",
    "/console/nowhere",
    "/robots.txt",
    "/nowhere",
]


@pytest.fixture
def secure(data: object, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", SECURE_URL)
    settings.cache_clear()
    return client_of(create_app())


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_keeps_browsers_to_https_for_a_year_and_more(
    secure: Client, path: str
) -> None:
    answer = secure.get(path)
    assert answer.headers.getlist("Strict-Transport-Security") == [STRICT]
    assert int(STRICT.removeprefix("max-age=")) >= 365 * 86_400


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_says_which_pages_may_frame_it_and_where_it_may_load_from(
    client: Client, path: str
) -> None:
    headers = client.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] in {"'none'", "'self'"}
    assert headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert headers["Referrer-Policy"] in {"strict-origin-when-cross-origin", "same-origin"}


def test_the_forms_answers_are_kept_to_https_too(secure: Client) -> None:
    assert (
        secure.post("/v1/sites/demo/comments", json={}).headers["Strict-Transport-Security"]
        == STRICT
    )
    assert secure.options("/v1/sites/demo/comments").headers["Strict-Transport-Security"] == STRICT


def test_over_http_there_is_no_hsts_header(client: Client) -> None:
    """RFC 6797, 7.2 forbids the header there, and nothing would answer by https."""
    assert "Strict-Transport-Security" not in client.get("/demo").headers


def test_without_the_setting_a_believed_proxy_says_which_it_is(
    data: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_PROXY_HOPS", "1")
    settings.cache_clear()
    client = client_of(create_app())
    by_https = client.get("/demo", headers={"X-Forwarded-Proto": "https"})
    assert by_https.headers["Strict-Transport-Security"] == STRICT
    assert (
        "Strict-Transport-Security"
        not in client.get("/demo", headers={"X-Forwarded-Proto": "http"}).headers
    )


def test_an_untrusted_proxy_changes_nothing(client: Client) -> None:
    assert (
        "Strict-Transport-Security"
        not in client.get("/demo", headers={"X-Forwarded-Proto": "https"}).headers
    )


def _set_cookie(app: Flask) -> str:
    signing_in.guesses._tries.clear()
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    form = {"email": "ann@paper.example", "password": PASSWORD}
    answer = client_of(app).post("/console/sign-in", data=form)
    assert answer.status_code == 303
    return answer.headers["Set-Cookie"]


def test_over_https_the_sessions_cookie_is_bound_to_the_host(secure: Client) -> None:
    name, _, rest = _set_cookie(secure.application).partition("=")
    traits = {trait.strip() for trait in rest.split(";")}
    assert name == "__Host-greenroom_console"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= traits
    assert not [trait for trait in traits if trait.startswith("Domain")]


def test_over_http_the_cookie_has_a_name_that_browsers_accept_there(client: Client) -> None:
    cookie = _set_cookie(client.application)
    assert cookie.startswith("greenroom_console=")
    assert "Secure" not in cookie


def test_over_https_a_cookie_without_the_prefix_opens_no_session(secure: Client) -> None:
    """A sibling host could have set it."""
    value = _set_cookie(secure.application).partition("=")[2].partition(";")[0]
    secure.set_cookie("greenroom_console", value)
    assert secure.get("/console/").status_code == 303
    secure.set_cookie("__Host-greenroom_console", value)
    assert secure.get("/console/").status_code == 200


def test_signing_out_takes_the_bound_cookie_back(secure: Client) -> None:
    value = _set_cookie(secure.application).partition("=")[2].partition(";")[0]
    secure.set_cookie("__Host-greenroom_console", value)
    page = secure.get("/console/").text
    csrf = page.partition('data-csrf="')[2].partition('"')[0]
    taken = secure.post("/console/sign-out", data={"csrf": csrf}).headers["Set-Cookie"]
    assert taken.startswith("__Host-greenroom_console=;")
    assert "Secure" in taken  # otherwise a browser keeps the old one
    assert secure.get("/console/").status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-out", "/console/decisions"])
def test_a_form_that_another_site_sends_to_the_console_is_refused(
    client: Client, path: str, site: str
) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    form = {"email": "ann@paper.example", "password": PASSWORD}
    answer = client.post(path, data=form, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert "This request came from another site" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_our_own_form_signs_in(client: Client, site: str | None) -> None:
    signing_in.guesses._tries.clear()
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    form = {"email": "ann@paper.example", "password": PASSWORD}
    answer = client.post(
        "/console/sign-in", data=form, headers={"Sec-Fetch-Site": site} if site else {}
    )
    assert answer.status_code == 303


def test_a_link_from_elsewhere_leads_into_the_console(client: Client) -> None:
    assert (
        client.get("/console/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    )


def test_the_console_shares_no_window_with_other_sites(client: Client) -> None:
    for path in ("/console/sign-in", "/console/nowhere"):
        assert client.get(path).headers["Cross-Origin-Opener-Policy"] == "same-origin"
