"""Comments for load: ordinary sentences, no two alike, so that no check takes them for a campaign."""

from __future__ import annotations

import random

import orjson

WHO = ("My neighbour", "The council", "Our teacher", "A friend of mine", "The whole street", "My grandmother")
DID = ("remembers", "has forgotten", "wrote about", "voted for", "complained of", "walked past", "still talks about")
WHAT = ("the old bridge", "the new timetable", "last winter", "that concert", "the library", "the flood", "the market")
WHEN = ("on Sunday", "for years", "without a word", "in the rain", "before breakfast", "twice a week", "at the station")
WHY = ("because it matters", "as one does", "which I understand", "and I agree", "though few noticed", "to my surprise")


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choice(part) for part in (WHO, DID, WHAT, WHEN, WHY)) + "."


def text(number: int) -> str:
    """Four sentences of their own for each number."""
    chance = random.Random(number)
    return " ".join(sentence(chance) for _ in range(4))


def comment(number: int, thread: str = "/bench") -> bytes:
    return orjson.dumps(
        {"thread": thread, "name": f"Reader {number}", "email": f"reader{number}@example.org", "body": text(number)}
    )
