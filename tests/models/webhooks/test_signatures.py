"""Signatures by Standard Webhooks, checked with the standard's own library."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from models.webhooks.signatures import (
    PRIVATE,
    PUBLIC,
    SHARED,
    headers,
    is_secret,
    new_private_key,
    new_secret,
    public_key,
    sign,
    wrong,
)

AT = 1_764_000_000
BODY = b'{"type":"comment.approved"}'


def signed(*keys: str, body: bytes = BODY, at: int = AT) -> dict[str, str]:
    return headers(keys, "msg_1", at, body)


def test_the_standards_library_takes_our_signature() -> None:
    secret, at = new_secret(), int(datetime.now(UTC).timestamp())
    Webhook(secret).verify(BODY.decode(), signed(secret, at=at))


def test_our_check_takes_the_signature_of_the_standards_library() -> None:
    secret = new_secret()
    theirs = Webhook(secret).sign("msg_1", datetime.fromtimestamp(AT, UTC), BODY.decode())
    given = {**signed(secret), "webhook-signature": theirs}
    assert wrong(secret, given, BODY, at=AT) is None


def test_a_private_key_signs_what_its_public_key_verifies() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    private = new_private_key()
    version, _, signature = sign(private, "msg_1", AT, BODY).partition(",")
    raw = base64.b64decode(public_key(private).removeprefix(PUBLIC))
    key = Ed25519PublicKey.from_public_bytes(raw)
    key.verify(base64.b64decode(signature), b"msg_1.%d.%s" % (AT, BODY))
    assert version == "v1a"
    assert private.startswith(PRIVATE)


def test_any_live_key_will_do() -> None:
    old, new = new_secret(), new_secret()
    for secret in (old, new):
        assert wrong(secret, signed(old, new, new_private_key()), BODY, at=AT) is None


@pytest.mark.parametrize(
    ("change", "body", "at", "message"),
    [
        ({"webhook-id": ""}, BODY, AT, "without webhook-id"),
        ({"webhook-timestamp": "soon"}, BODY, AT, "its timestamp is no number"),
        ({"webhook-timestamp": "²"}, BODY, AT, "its timestamp is no number"),
        ({"webhook-timestamp": "9" * 20}, BODY, AT, "its timestamp is no number"),
        ({}, BODY, AT + 301, "its timestamp is 301 s off"),
        ({}, BODY, AT - 301, "its timestamp is 301 s off"),
        ({}, BODY + b" ", AT, "its signature is not by this secret"),
        ({"webhook-id": "msg_2"}, BODY, AT, "its signature is not by this secret"),
        ({"webhook-signature": "v1,AAAA"}, BODY, AT, "its signature is not by this secret"),
    ],
)
def test_a_message_that_is_not_ours_or_not_fresh_is_refused(
    change: dict[str, str], body: bytes, at: float, message: str
) -> None:
    secret = new_secret()
    assert wrong(secret, signed(secret) | change, body, at=at) == message


def test_the_signature_of_another_secret_is_refused() -> None:
    refused = wrong(new_secret(), signed(new_secret()), BODY, at=AT)
    assert refused == "its signature is not by this secret"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        pytest.param(new_secret(), True, id="a new secret"),
        (SHARED + base64.b64encode(b"x" * 24).decode(), True),
        (SHARED + base64.b64encode(b"x" * 64).decode(), True),
        (SHARED + base64.b64encode(b"x" * 23).decode(), False),
        (SHARED + base64.b64encode(b"x" * 65).decode(), False),
        (SHARED + "not base64!", False),
        (base64.b64encode(b"x" * 32).decode(), False),
        pytest.param(new_private_key(), False, id="a private key"),
    ],
)
def test_a_secret_has_24_to_64_bytes(text: str, is_one: bool) -> None:
    assert is_secret(text) is is_one
