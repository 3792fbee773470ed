"""Comments for load: ordinary sentences, no two alike, so that no check takes them for a
campaign.
"""

from __future__ import annotations

import random

import orjson

WORDS = """
harbour bridge winter market teacher council garden window letter morning kitchen river station
engine concert library neighbour flood ladder candle paper winter mountain village doctor cousin
orchestra ticket basket lantern meadow tower bakery carpet silence thunder orchard compass mirror
blanket pocket hammer island journey feather chimney button saddle
""".split()
DOING = """
remembers forgets carries paints repairs borrows visits counts defends ignores invents collects
hears expects crosses admires measures prefers explains avoids notices keeps mentions loses
understands welcomes doubts
""".split()
HOW = """
slowly quietly often rarely gladly twice badly alone early late already almost probably honestly
carefully
""".split()


def sentence(chance: random.Random) -> str:
    one, other, third = chance.sample(WORDS, 3)
    return (
        f"The {one} {chance.choice(DOING)} our {other} {chance.choice(HOW)} and the "
        f"{third} {chance.choice(DOING)} it."
    )


def text(number: int) -> str:
    """Return three different sentences for each number."""
    chance = random.Random(number)
    return " ".join(sentence(chance) for _ in range(3))


def comment(number: int, thread: str = "/bench") -> bytes:
    return orjson.dumps(
        {
            "thread": thread,
            "name": f"Reader {number}",
            "email": f"reader{number}@example.org",
            "body": text(number),
        }
    )
