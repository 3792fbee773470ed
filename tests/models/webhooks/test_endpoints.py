"""An endpoint's secrets: which of them sign, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from models.webhooks.endpoints import (
    MOST_SECRETS,
    Sealed,
    Secret,
    first_secret,
    rotated,
    sealed,
    sealed_of,
    unsealed,
)
from models.webhooks.signatures import PRIVATE, SHARED

AT = datetime(2026, 11, 28, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_first_secret_is_shared_and_signs_with_a_private_key_if_asked() -> None:
    plain, both = first_secret(signs_ed25519=False), first_secret(signs_ed25519=True)
    assert plain.shared.startswith(SHARED)
    assert plain.private is None
    assert both.private
    assert both.private.startswith(PRIVATE)


def test_shared_secrets_sign_first() -> None:
    kept = Sealed(
        secrets=(
            Secret(shared="s1", private="p1"),
            Secret(shared="s2", private="p2", until=AT + DAY),
        )
    )
    assert kept.keys(AT) == ["s1", "s2", "p1", "p2"]
    assert kept.keys(AT + DAY) == ["s1", "p1"]


def test_after_a_rotation_the_new_secret_is_first_and_the_old_one_signs_for_a_while() -> None:
    old = Sealed(secrets=(Secret(shared="old"),), headers={"x-key": "1"})
    new = rotated(old, until=AT + DAY, at=AT, signs_ed25519=False)
    assert [secret.until for secret in new.secrets] == [None, AT + DAY]
    assert new.secrets[1].shared == "old"
    assert new.headers == {"x-key": "1"}


def test_a_rotation_never_prolongs_a_secret() -> None:
    old = Sealed(secrets=(Secret(shared="a"), Secret(shared="b", until=AT + DAY)))
    new = rotated(old, until=AT + 7 * DAY, at=AT, signs_ed25519=False)
    assert {secret.shared: secret.until for secret in new.secrets[1:]} == {
        "a": AT + 7 * DAY,
        "b": AT + DAY,
    }


def test_a_rotation_that_ends_the_old_secret_at_once_leaves_only_the_new_one() -> None:
    old = Sealed(secrets=(Secret(shared="leaked"),))
    new = rotated(old, until=AT, at=AT, signs_ed25519=False)
    assert len(new.secrets) == 1
    assert new.secrets[0].shared != "leaked"


def test_only_a_few_secrets_are_valid_at_once() -> None:
    kept = Sealed(secrets=(first_secret(signs_ed25519=False),))
    for _ in range(2 * MOST_SECRETS):
        kept = rotated(kept, until=AT + DAY, at=AT, signs_ed25519=False)
    assert len(kept.secrets) == MOST_SECRETS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_encrypted_content_can_be_decrypted_only_unchanged(data: Path) -> None:
    secret = Secret(shared="s", private="p", until=AT)
    content = sealed_of(secret, {"Authorization": "Bearer 1"})
    assert unsealed(content) == Sealed(secrets=(secret,), headers={"Authorization": "Bearer 1"})
    assert b"Bearer" not in content
    damaged = content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(InvalidTag):
        unsealed(damaged)
    assert sealed(unsealed(content)) != content  # each has its own nonce
