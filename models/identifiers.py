"""Identifiers that sort by the time of their creation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """A UUIDv7 (RFC 9562) in its usual 36 characters."""
    return str(uuid7())


def first_id(at: datetime) -> str:
    """Return the smallest identifier of that millisecond. Identifiers that sort before it were made
    earlier.
    """
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | 0x7000_8000_0000_0000_0000))


def is_id(text: str) -> bool:
    """Whether the text can be one of our identifiers: the canonical spelling of a UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
