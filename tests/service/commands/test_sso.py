"""`greenroom sso`: a secret is printed once, alone, and its id lists and revokes it."""

from __future__ import annotations

import re

from models.settings import settings
from service.readers.tokens import check_token
from tests.caller import Client
from tests.service.commands.test_commands import greenroom
from tests.service.readers.tokens import demo, token


def test_a_secret_is_created_listed_and_revoked(client: Client) -> None:
    data, url = settings().data, settings().database_url or ""
    created = greenroom("sso", "create", "--site", "demo", data=data, GREENROOM_DATABASE_URL=url)
    assert re.fullmatch(r"sso_[0-9a-f]{64}\n", created.stdout), created.stderr
    secret = created.stdout.strip()
    kid = secret[4:12]
    assert check_token(demo(), token(secret)).name == "Ann Reed"
    listed = greenroom("sso", "list", data=data, GREENROOM_DATABASE_URL=url).stdout
    assert listed.startswith(f"{kid}  demo  created ")
    assert secret not in listed
    revoked = greenroom("sso", "revoke", kid, data=data, GREENROOM_DATABASE_URL=url)
    assert (revoked.returncode, revoked.stdout) == (0, "")
    again = greenroom("sso", "revoke", kid, data=data, GREENROOM_DATABASE_URL=url)
    assert again.returncode == 1
    assert "no live secret" in again.stderr
    assert greenroom("sso", "list", data=data, GREENROOM_DATABASE_URL=url).stdout == ""
