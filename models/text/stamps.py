"""Moments as text: RFC 3339 in UTC, like "2026-11-28T14:51:00.123456Z"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def utc_stamp(moment: datetime) -> str: ...
@overload
def utc_stamp(moment: datetime | None) -> str | None: ...
def utc_stamp(moment: datetime | None) -> str | None:
    """Format a moment, as every answer, event and export writes it."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z" if moment else None
