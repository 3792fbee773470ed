"""The languages in which Greenroom speaks to readers: one locale file for each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of all languages, sorted: "ar", "de", "en" …"""
    return tuple(sorted(file.stem for file in LOCALES.glob("*.json")))
