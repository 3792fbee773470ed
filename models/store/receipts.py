"""A comment's receipt: its id with a signature, so that nothing needs storing and nobody can guess
one.
"""

from __future__ import annotations

import base64
import hmac

from models.store.secrets import secrets

SIGNATURE_BYTES = 16


def receipt_of(comment_id: str) -> str:
    digest = hmac.digest(secrets().derived("receipt"), comment_id.encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode().rstrip("=")
    return f"{comment_id}.{signature}"
