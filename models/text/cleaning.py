"""What a reader typed, made safe to keep: composed, without invisible trickery, and otherwise
exactly theirs.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Controls but tab and newline; bidi embeddings and overrides (U+202A–202E) and isolates
# (U+2066–2069), which can make a text read as something else. Joiners (U+200C–D) and direction
# marks (U+200E–F) are part of writing and stay.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that draw nothing
_KIND = unicodedata.category
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me", "Mc"})

MOST_MARKS = 30  # on one letter; the orthographies of the world need fewer than ten
MOST_TIMES = (
    4  # as long as it is kept may a text come: "\r\n" is two characters, and "ᾂ" may be four
)


# Everything that stands on the letter before it (by its category, or once NFKC has decomposed it),
# or that may stand between a letter and its mark; and all from U+10000 on, since a search for
# single characters of those is slow.
_MARKS = [code for code in range(0xA0, 0x10000) if _KIND(chr(code)) in {"Mn", "Me", "Mc", "Cf"}] + [
    0xFF9E,
    0xFF9F,
]
_LONG_RUN = re.compile(f"[{''.join(map(chr, _MARKS))}\U00010000-\U0010ffff]{{{MOST_MARKS + 1},}}")


def clean(text: str, most: int) -> str:
    """`\\n` for every line end, unwanted characters removed, NFC (what they stood between
    composes), trimmed.

    Raises ValueError, in words for the writer, for more than `most` characters or more than 30
    marks on one letter. A text that is far too long is refused before any work: composing a long
    run of marks takes the square of its length.
    """
    text = text.strip()
    if len(text) > most * MOST_TIMES:
        raise _too_long(most)
    if not (text.isascii() and text.isprintable()):
        text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        if has_too_many_marks(text):
            raise ValueError(
                f"One letter has too many accents or other marks: at most {MOST_MARKS}."
            )
        text = unicodedata.normalize("NFC", text).strip()
    if len(text) > most:
        raise _too_long(most)
    return text


def clean_line(text: str, most: int) -> str:
    """The same on one line."""
    return clean(text, most).replace("\n", " ").replace("\t", " ")


def has_too_many_marks(text: str) -> bool:
    """Whether more than 30 marks follow one another. Joiners between them are not counted, and do
    not end the run.
    """
    if len(text) <= MOST_MARKS or text.isascii():
        return False
    return any(len(_bounded(run)) < len(run[0]) for run in _LONG_RUN.finditer(text))


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """`unicodedata.normalize` in linear time, for any text: of the marks on one letter only the
    first 30 count.
    """
    if len(text) > MOST_MARKS and not text.isascii():
        text = _LONG_RUN.sub(_bounded, text)
    return unicodedata.normalize(form, text)


def _bounded(run: re.Match[str]) -> str:
    """The run without the marks that are too many."""
    kept, marks = [], 0
    for letter in run[0]:
        kind = _KIND(letter)
        is_mark = kind[0] == "M" or letter in "\uff9e\uff9f"
        marks = marks + is_mark if is_mark or kind == "Cf" else 0
        if not is_mark or marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def is_blank(text: str) -> bool:
    """Whether nothing in it can be seen: white space, joiners, fillers, and marks without a letter
    to stand on.
    """
    return all(letter in _FILLERS or _KIND(letter) in _UNSEEN for letter in text)


def _too_long(most: int) -> ValueError:
    return ValueError(f"This is too long: at most {most:,} characters.")
