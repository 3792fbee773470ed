"""Labelled comments that any classifier can tell apart, for tests of training and measuring."""

from __future__ import annotations

from models.classifier.training.corpus import Row

GOODS = [
    "watches",
    "pills",
    "followers",
    "shoes",
    "loans",
    "essays",
    "bonuses",
    "tickets",
    "handbags",
    "coins",
]
THINGS = [
    "bridge",
    "harbour",
    "library",
    "market",
    "school",
    "ferry",
    "hospital",
    "museum",
    "garden",
    "station",
]
THREADS = ["north", "south", "west"]


def few_rows(source: str = "own", lang: str = "en") -> list[Row]:
    """Ten of each kind, in no thread."""
    spam = [f"Buy cheap {goods} now at www.{goods}.com" for goods in GOODS]
    ham = [f"I remember the old {thing} in my street" for thing in THINGS]
    return [
        *(Row(text, True, "", lang, source) for text in spam),
        *(Row(text, False, "", lang, source) for text in ham),
    ]


def rows(*, threads: bool = True) -> list[Row]:
    """The same twenty texts with different endings in each of three threads."""
    made = []
    for thread in THREADS:
        for number, row in enumerate(few_rows()):
            text = f"{row.text}, {thread} {number}"
            made.append(row._replace(text=text, thread=thread if threads else ""))
    return made
