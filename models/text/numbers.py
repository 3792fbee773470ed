"""Read numbers that somebody typed or sent in a header."""

from __future__ import annotations


def digits_to_int(text: str | None, *, digits: int = 9) -> int | None:
    """Return the number in the text, or None unless it is 1 to `digits` ASCII digits.

    `int` would also accept "+5", "1_0", " 5" and the digits of other scripts, and `isdecimal`
    accepts the last of these.
    """
    if text is None or len(text) > digits or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)
