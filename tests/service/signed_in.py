"""A person who is signed in to the console, for tests: their requests carry their token."""

from __future__ import annotations

import re
from typing import Any

import pyotp
from werkzeug.test import TestResponse

from service.console import signing_in
from service.people import accounts
from tests.caller import Client, client_of

PASSWORD = "correct horse battery"
LINKS = "https://a.example https://b.example https://c.example"


class SignedIn:
    def __init__(
        self, client: Client, email: str = "ann@paper.example", *, role: str = "owner"
    ) -> None:
        signing_in.guesses._tries.clear()
        self.client, self.email = client_of(client.application), email
        accounts.add_moderator(email, "demo", role, PASSWORD)
        answer = self.client.post("/console/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303
        self.csrf = csrf_of(self.client)

    def get(self, path: str) -> str:
        answer = self.client.get(f"/console{path}", headers={"X-Greenroom": "item"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(f"/console{path}", data={**fields, "csrf": self.csrf})

    def confirmed(self, path: str, **fields: str) -> TestResponse:
        """Return a form with the password, which sensitive actions need."""
        return self.form(path, **{"current_password": PASSWORD, **fields})

    def enrol(self) -> tuple[str, list[str]]:
        """Turn on the second factor. Return its secret and the recovery codes."""
        secret, sealed = self.new_secret()
        done = self.confirmed(
            "/account/second-factor/confirm", secret=sealed, code=pyotp.TOTP(secret).now()
        )
        return secret, re.findall(r"<li>([\w-]+)</li>", done.text)

    def new_secret(self) -> tuple[str, str]:
        """Return a secret for an app, and the fields that the form sends back for it."""
        page = self.form("/account/second-factor").text
        return (
            re.findall(r"<code>(\w+)</code>", page)[0],
            re.findall(r'name="secret" value="([^"]+)"', page)[0],
        )

    def call(self, path: str, **body: Any) -> Any:
        answer = self.client.post(
            f"/console{path}", json=body, headers={"X-Greenroom-CSRF": self.csrf}
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    def decide(self, *ids: str, verdict: str = "approve", version: int = 2, **more: Any) -> Any:
        items = [{"id": id_, "version": version} for id_ in ids]
        return self.call("/decisions", verdict=verdict, items=items, **more)

    def listed(self, query: str = "") -> list[str]:
        """Return the ids in a list, in its order."""
        return re.findall(r'class="row" data-id="([\w-]+)"', self.get(f"/{query}"))


def csrf_of(client: Client) -> str:
    found = re.search(r'data-csrf="(\w+)"', client.get("/console/").text)
    assert found
    return found[1]
