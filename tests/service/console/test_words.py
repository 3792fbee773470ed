"""The console's words for names in the rest of Greenroom."""

from __future__ import annotations

from models.judgement.evidence import CHECKS, SCREENING
from service.console import words


def test_every_check_has_a_label() -> None:
    assert words.CHECKS.keys() == {*CHECKS, SCREENING}


def test_a_moment_is_read_from_its_stamp() -> None:
    assert words.moment_of("2026-03-03T12:00:00Z").isoformat() == "2026-03-03T12:00:00+00:00"
