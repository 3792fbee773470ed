"""What a reader typed, made safe to keep: composed, without invisible trickery, and otherwise exactly theirs."""

from __future__ import annotations

import re
import unicodedata

# Controls but tab and newline; bidi embeddings and overrides (U+202A–202E) and isolates (U+2066–2069), which can make a
# text read as something else. Joiners (U+200C–D) and direction marks (U+200E–F) are part of writing and stay.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that draw nothing


def clean(text: str) -> str:
    """`\\n` for every line end, unwanted characters removed, NFC (what they stood between composes), trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text)).strip()


def clean_line(text: str) -> str:
    """The same on one line."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def is_blank(text: str) -> bool:
    """Whether nothing in it can be seen: white space, joiners, fillers, and marks without a letter to stand on."""
    return all(letter in _FILLERS or _KIND(letter) in _UNSEEN for letter in text)


_KIND = unicodedata.category
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me", "Mc"})
