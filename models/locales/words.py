"""The texts that readers see, in their language. Each locale file has a section for each part: the
embed, its form once it is used, the plain pages, signing on, editing, mail, reports, appeals.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from models.locales.languages import LOCALES, languages


class Words(NamedTuple):
    """One locale file. Every browser loads `embed`, so keep it small."""

    code: str
    embed: dict[str, Any]
    form: dict[str, str]
    pages: dict[str, str]
    identity: dict[str, str]
    edit: dict[str, str]
    own: dict[str, str]
    mail: dict[str, str]
    report: dict[str, str]
    appeal: dict[str, str]

    def counted(self, number: int) -> str:
        """Return the number with its noun, in the plural form that the language needs."""
        forms = self.embed["comments"]
        return str(forms.get(_plural(self.code, number), forms["other"])).replace(
            "{n}", str(number)
        )


@cache
def read_words(code: str) -> Words:
    content = json.loads((LOCALES / f"{code}.json").read_text("utf-8"))
    return Words(code, **content)


def words_for(*wishes: str | None) -> Words:
    """Return the words of the first wanted language that we have ("de-AT" is "de"), or English."""
    codes = [(wish or "").partition("-")[0].lower() for wish in wishes]
    return read_words(next((code for code in codes if code in languages()), "en"))


def _plural(code: str, number: int) -> str:
    """Return the plural category of a whole number, by CLDR's rules for the languages we have."""
    last, last_two = number % 10, number % 100
    match code:
        case "fr" | "fa":
            return "one" if number in {0, 1} else "other"
        case "he":
            return {1: "one", 2: "two"}.get(number, "other")
        case "ru":
            if last == 1 and last_two != 11:
                return "one"
            return "few" if 2 <= last <= 4 and not 12 <= last_two <= 14 else "many"
        case "ar":
            if number <= 2:
                return ("zero", "one", "two")[number]
            return "few" if 3 <= last_two <= 10 else "many" if last_two >= 11 else "other"
    return "one" if number == 1 else "other"
