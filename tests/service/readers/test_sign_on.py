"""Secrets for a site's sign-on: two live ones, listed without the secret, revoked at once."""

from __future__ import annotations

import pytest

from service.http.problems import Problem
from service.readers.sign_on import kid_of, list_secrets, revoke_secret
from tests.caller import Client
from tests.service.readers.tokens import BY, demo, new_secret


def test_a_site_has_two_live_secrets_at_most(client: Client) -> None:
    first = new_secret()
    new_secret()
    with pytest.raises(Problem, match="two live secrets"):
        new_secret()
    assert revoke_secret(kid_of(first), by=BY)
    new_secret()


def test_a_secret_is_listed_by_its_id_only(client: Client) -> None:
    secret = new_secret()
    assert secret.startswith("sso_")
    (listed,) = list_secrets(demo().id)
    assert (listed.kid, listed.site, listed.revoked_at) == (secret[4:12], "demo", None)


def test_a_secret_is_revoked_once_and_only_by_its_site(client: Client) -> None:
    kid = kid_of(new_secret())
    assert not revoke_secret(kid, site_id=demo().id + 1, by=BY)
    assert revoke_secret(kid, site_id=demo().id, by=BY)
    assert not revoke_secret(kid, by=BY)
