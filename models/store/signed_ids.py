"""Receipts of reports and notices: an id with a signature, so that nothing needs storing and nobody
can guess one.
"""

from __future__ import annotations

import base64
import hmac
from typing import Literal

from models.identifiers import is_id
from models.store.secrets import secrets

Kind = Literal["report", "notice"]
_BYTES = 16


def signed(kind: Kind, id_: str) -> str:
    digest = hmac.digest(secrets().derived(f"{kind} receipt"), id_.encode(), "sha256")[:_BYTES]
    return f"{id_}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def read_signed(kind: Kind, receipt: str) -> str | None:
    """Return the id, or None if we did not sign it."""
    id_ = receipt.partition(".")[0]
    if not is_id(id_):
        return None
    is_ours = hmac.compare_digest(signed(kind, id_).encode(), receipt.encode())
    return id_ if is_ours else None
