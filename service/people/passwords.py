"""Which passwords an account may have: none that is too easy to guess.

This one rule holds wherever someone sets a password: with an invitation, a reset link, the
console's form, or the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST = 12  # characters; a shorter password must be GOOD
# zxcvbn estimates how many guesses a password takes, from lists of common passwords, words and
# names and from what people do to them (digits behind, letters as signs, rows of keys). A million
# protect against guessing at the sign-in, even if it were not slowed; a hundred million are good.
LEAST_GUESSES = 1_000_000
GOOD_GUESSES = 100_000_000
SHORTEST_PART = 3  # characters; "de" of an address says nothing about a password
# The estimate raises above 72 characters, and a password full of signs that look like letters
# takes it ten seconds at 72 and one at 32. A password that is hard to guess so far is accepted.
MOST_JUDGED = 32
TOO_EASY = (
    f"This password is too easy to guess. Use at least {SHORTEST} characters, for example four "
    "words that have nothing to do with you or this site."
)


def check(password: str, *, own: Iterable[str]) -> None:
    """Raise ValueError, with a message for the person, for a password that is too easy to guess.

    `own` are words that people who know the account would try first, such as its email and the
    names of its sites. Only the rest of a password counts.
    """
    words = _parts(["greenroom", *own])
    guesses = _guesses(_without(words, password)[:MOST_JUDGED], words)
    if guesses < (LEAST_GUESSES if len(password) >= SHORTEST else GOOD_GUESSES):
        raise ValueError(TOO_EASY)


def _parts(own: Iterable[str]) -> list[str]:
    """Return all words in lower case, and their parts: of "ann.lee@paper.example" also "ann.lee",
    "annlee", "ann", "lee", "paper" and "example". The longest come first.
    """
    words: set[str] = set()
    for word in map(str.lower, own):
        name = word.partition("@")[0]
        words |= {word, name, re.sub(r"[\W_]", "", name), *re.split(r"[\W_]+", word)}
    return sorted((word for word in words if len(word) >= SHORTEST_PART), key=len, reverse=True)


def _without(words: Iterable[str], password: str) -> str:
    own = "|".join(map(re.escape, words))
    return re.sub(own, "", password, flags=re.IGNORECASE)


def _guesses(password: str, words: list[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415 — 15 MB, for the few requests that set a password

    return float(zxcvbn(password, words)["guesses"]) if password else 0
