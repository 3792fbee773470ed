"""Identifiers that sort by the time they were made."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """A UUIDv7 (RFC 9562) in its usual 36 characters."""
    return str(uuid7())


def first_id(at: datetime) -> str:
    """The smallest identifier of that millisecond: what is compared with it was made before, or
    then and after.
    """
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | 0x7000_8000_0000_0000_0000))


def is_id(text: str) -> bool:
    """Whether this could be one of ours: the canonical spelling of some UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
