"""Make text that a reader typed safe to store: compose it, remove invisible trickery, and change
nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Control characters except tab and newline; bidi embeddings and overrides (U+202A–202E) and
# isolates (U+2066–2069), which can make a text read as something else. Joiners (U+200C–D) and
# direction marks (U+200E–F) are part of writing and stay.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that draw nothing
_KIND = unicodedata.category
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me", "Mc"})

MOST_MARKS = 30  # marks on one letter; all orthographies of the world need fewer than ten
MOST_TIMES = (
    4  # how much longer the uncleaned text may be: "\r\n" is two characters, "ᾂ" up to four
)


# Everything that stands on the letter before it (by its category, or after NFKC has decomposed it),
# or that may stand between a letter and its mark; and everything from U+10000 on, because searching
# for single characters of those is slow.
_MARKS = [code for code in range(0xA0, 0x10000) if _KIND(chr(code)) in {"Mn", "Me", "Mc", "Cf"}] + [
    0xFF9E,
    0xFF9F,
]
_LONG_RUN = re.compile(f"[{''.join(map(chr, _MARKS))}\U00010000-\U0010ffff]{{{MOST_MARKS + 1},}}")


def clean(text: str, most: int) -> str:
    r"""Return the text with `\n` for every line end, without unwanted characters, in NFC (letters
    that these characters separated compose), and trimmed.

    Raises ValueError, with a message for the writer, for more than `most` characters or more than
    30 marks on one letter. A text that is far too long is refused before any work, because the cost
    of composing a long run of marks grows with the square of its length.
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
    """Clean a text that must be a single line."""
    return clean(text, most).replace("\n", " ").replace("\t", " ")


def has_too_many_marks(text: str) -> bool:
    """Whether more than 30 marks follow one another. Joiners between them do not count and do not
    end the run.
    """
    if len(text) <= MOST_MARKS or text.isascii():
        return False
    return any(len(_bounded(run)) < len(run[0]) for run in _LONG_RUN.finditer(text))


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Call `unicodedata.normalize` in linear time for any text: only the first 30 marks on a letter
    count.
    """
    if len(text) > MOST_MARKS and not text.isascii():
        text = _LONG_RUN.sub(_bounded, text)
    return unicodedata.normalize(form, text)


def _bounded(run: re.Match[str]) -> str:
    """Return the run without its excess marks."""
    kept, marks = [], 0
    for letter in run[0]:
        kind = _KIND(letter)
        is_mark = kind[0] == "M" or letter in "\uff9e\uff9f"
        marks = marks + is_mark if is_mark or kind == "Cf" else 0
        if not is_mark or marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def is_blank(text: str) -> bool:
    """Whether nothing in it is visible: only white space, joiners, fillers, and marks without a
    letter.
    """
    return all(letter in _FILLERS or _KIND(letter) in _UNSEEN for letter in text)


def _too_long(most: int) -> ValueError:
    return ValueError(f"This is too long: at most {most:,} characters.")
