"""The format of moments in answers, events and exports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from models.text.stamps import utc_stamp


def test_a_stamp_is_in_utc_and_says_so() -> None:
    noon = datetime(2026, 3, 3, 12, 0, 0, 123456, tzinfo=UTC)
    assert utc_stamp(noon) == "2026-03-03T12:00:00.123456Z"
    assert utc_stamp(noon.replace(microsecond=0)) == "2026-03-03T12:00:00Z"
    assert utc_stamp(noon.astimezone(timezone(timedelta(hours=5)))) == utc_stamp(noon)


def test_no_moment_has_no_stamp() -> None:
    assert utc_stamp(None) is None


def test_a_stamp_can_be_read_again() -> None:
    noon = datetime(2026, 3, 3, 12, 0, 0, 1, tzinfo=UTC)
    assert datetime.fromisoformat(utc_stamp(noon)) == noon
