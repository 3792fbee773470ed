"""Standard Webhooks 1.0.0: secrets, and the signature over `id.timestamp.body`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as random
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.text.numbers import digits_to_int

SHARED, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
TOLERANCE_SECONDS = 300  # how far a receiver's clock may be wrong


def new_secret() -> str:
    return SHARED + _text(random.token_bytes(32))


def new_private_key() -> str:
    return PRIVATE + _text(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key(private: str) -> str:
    """Return the key with which a receiver verifies v1a signatures."""
    return PUBLIC + _text(_private(private).public_key().public_bytes_raw())


def sign(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,…` for a shared secret, `v1a,…` for a private key."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    if key.startswith(PRIVATE):
        return f"v1a,{_text(_private(key).sign(signed))}"
    return f"v1,{_text(hmac.digest(_bytes(key, SHARED), signed, 'sha256'))}"


def headers(keys: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers to send with the body: one signature for each live key."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(key, message_id, timestamp, body) for key in keys),
    }


def wrong(secret: str, given: dict[str, str], body: bytes, *, at: float) -> str | None:
    """Return why a message is refused, or None if it is ours and recent. Header names are in lower
    case.
    """
    missing = [
        name
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        if not given.get(name)
    ]
    if missing:
        return f"without {', '.join(missing)}"
    stamp = digits_to_int(given["webhook-timestamp"], digits=19)
    if stamp is None:
        return "its timestamp is no number"
    if abs(at - stamp) > TOLERANCE_SECONDS:
        return f"its timestamp is {abs(at - stamp):.0f} s off"
    expected = sign(secret, given["webhook-id"], stamp, body)
    if not any(
        hmac.compare_digest(expected, found) for found in given["webhook-signature"].split(" ")
    ):
        return "its signature is not by this secret"
    return None


def is_secret(text: str) -> bool:
    """Whether the text is a shared secret according to the standard: 24 to 64 bytes."""
    try:
        return text.startswith(SHARED) and 24 <= len(_bytes(text, SHARED)) <= 64
    except binascii.Error:
        return False


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_bytes(key, PRIVATE))


def _bytes(key: str, prefix: str) -> bytes:
    return base64.b64decode(key.removeprefix(prefix), validate=True)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
