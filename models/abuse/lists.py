"""Starter lists of words for a site's own list of held words, by category and language.

They are ours, short and mild, and off until an owner adds one. The rules of the words policy
apply: `word*` matches any ending.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

PATH = Path(__file__).with_name("lists.csv")

Category = Literal["insults", "slurs", "swearing", "threats"]
CATEGORIES: tuple[Category, ...] = get_args(Category)


class WordList(NamedTuple):
    """A starter list. `language` is an ISO 639-1 code."""

    category: Category
    language: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Identify the list: "threats-en"."""
        return f"{self.category}-{self.language}"


@cache
def word_lists() -> tuple[WordList, ...]:
    """Return all lists by language and category."""
    with PATH.open(encoding="utf-8", newline="") as file:
        lists = [
            WordList(
                next(category for category in CATEGORIES if category == row["category"]),
                row["language"],
                tuple(row["words"].split("|")),
            )
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(lists, key=lambda each: (each.language, each.category)))
