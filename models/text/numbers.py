"""Numbers that somebody typed, or sent in a header."""

from __future__ import annotations


def digits_to_int(text: str | None, *, digits: int = 9) -> int | None:
    """The number that a text is, or None unless it is 1 to `digits` ASCII digits.

    `int` would also take "+5", "1_0", " 5" and the digits of other scripts, and `isdecimal` the
    latter.
    """
    if text is None or len(text) > digits or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)
