"""Files that programs request at fixed addresses."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.robotparser import RobotFileParser

import pytest
from pydantic import ValidationError

from models.settings import settings
from models.store.database import now
from tests.caller import Client

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fields(client: Client) -> dict[str, str]:
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    return dict(line.split(": ", 1) for line in answer.text.splitlines())


def test_security_txt_has_what_rfc_9116_demands(client: Client) -> None:
    found = fields(client)
    expires = datetime.fromisoformat(found["Expires"])
    assert now() < expires < now() + timedelta(days=365)
    assert found["Contact"] == "mailto:greenroom@localhost"
    assert found["Canonical"].endswith("/.well-known/security.txt")


def test_the_contact_can_be_set(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SECURITY_CONTACT", "https://paper.example/security")
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", "https://comments.paper.example")
    settings.cache_clear()
    found = fields(client)
    assert found["Contact"] == "https://paper.example/security"
    assert found["Canonical"] == "https://comments.paper.example/.well-known/security.txt"


@pytest.mark.parametrize(
    "contact", ["security@paper.example", "mailto:a\nExpires: never", "http://paper.example"]
)
def test_a_contact_that_is_no_uri_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch, contact: str
) -> None:
    monkeypatch.setenv("GREENROOM_SECURITY_CONTACT", contact)
    settings.cache_clear()
    with pytest.raises(ValidationError, match="must begin with mailto:"):
        settings()
    monkeypatch.delenv("GREENROOM_SECURITY_CONTACT")
    settings.cache_clear()


def test_robots_may_read_comments_and_not_the_console(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    robots = RobotFileParser()
    robots.parse(answer.text.splitlines())
    for path in ("/console/", "/console/sign-in", "/health/system", "/metrics"):
        assert not robots.can_fetch("bot", path)
    for path in ("/embed.js", "/v1/sites/demo/comments?thread=/x", "/sites/demo/thread?thread=/x"):
        assert robots.can_fetch("bot", path)
