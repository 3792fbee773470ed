"""Compare names, so that nobody takes another person's by a different spelling."""

from __future__ import annotations

from unicodedata import category

from models.text.folding import fold

MOST = 300  # characters of a folded name: look-alikes may fold to several letters


def folded_name(name: str) -> str:
    """Return the name for comparing: folded, its words separated by one space, and without the
    marks, signs and emoji around them.
    """
    spaced = "".join(sign if _is_of_a_word(sign) else " " for sign in fold(name))
    return " ".join(spaced.split())[:MOST]


def name_key(name: str) -> str:
    """Return the folded name without spaces, which finds a name however its letters are spaced."""
    return folded_name(name).replace(" ", "")


def has_words(name: str) -> bool:
    """Whether the name has two words or more."""
    return " " in folded_name(name)


def _is_of_a_word(sign: str) -> bool:
    return sign.isalnum() or category(sign).startswith("M")
