"""Two spellings that look the same to a reader become one, so that words can be compared. Not for showing."""

from __future__ import annotations

import re
from itertools import chain
from unicodedata import category, normalize

from models.text import normalized

# Letters a reader takes for a Latin one (Unicode TR39's confusables, cut down). Case is gone by now, so a letter stands
# here for both its shapes: в because В looks like B. Within an alphabet no two letters share a target, so that the
# ordinary words of a language stay apart: that is why Russian ь and Greek σ are missing.
_LOOK_ALIKES = {
    "авекмнорстухгіјѕһԁԛԝѵѡӏҽ": "abekmhopctyxrijshdqwvwle",  # Cyrillic
    "αβγεζηικμνορτυχωϳ": "abyezhikmvoptuxwj",  # Greek
    "ազհոսցօք": "wqhnugof",  # Armenian
    "ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ": "abcdehjklmprstvwyz",  # Cherokee, whose folded case is the upper one
    "ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ": "abcdefghijklmnoprstuvwxyz",  # Lisu
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ": "abcdefghijklmnopqrstuvwyz",  # Latin small capitals
    "ɑɐɡıłøđħŧƒɓɗꬲ": "aagilodhtfbde",  # Latin letters without a decomposition
    "".join(map(chr, range(0x1F150, 0x1F16A))): "abcdefghijklmnopqrstuvwxyz",  # white in a black circle
    "".join(map(chr, range(0x1F170, 0x1F18A))): "abcdefghijklmnopqrstuvwxyz",  # white in a black square
    "\u0671\u0649\u06cc\u06d0\u06a9": "\u0627\u064a\u064a\u064a\u0643",  # alef, yeh, kaf as other countries type them
}

# Marks without which a word is still the same word; those of Indic scripts, Thai and kana are part of the spelling.
_MARKS = (
    range(0x0300, 0x0370),  # Latin, Greek and Cyrillic accents
    range(0x0483, 0x048A),  # Cyrillic titlo and thousands
    range(0x0591, 0x05BE),  # Hebrew points; 05BE is a hyphen
    range(0x05BF, 0x05C8),
    range(0x0610, 0x061B),  # Arabic
    range(0x064B, 0x0660),  # Arabic harakat
    range(0x0670, 0x0671),  # Arabic superscript alef
    range(0x06D6, 0x06EE),  # Arabic Quran marks
    range(0x08D3, 0x0900),  # Arabic, extended
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0xFE00, 0xFE10),  # variation selectors
    range(0xFE20, 0xFE30),
    range(0xE0100, 0xE01F0),  # variation selectors
)
_FORMAT = (range(0x20000), range(0xE0000, 0xE0080))  # where zero-width, direction and other format characters live
_UNSEEN = "\u115f\u1160\u17b4\u17b5\u2800"  # fillers that draw nothing yet count as letters
_TATWEEL = "\u0640"
_PRECOMPOSED = (range(0x00C0, 0x0700), range(0x1E00, 0x2000))  # where letters with such a mark live
_WHOLE = "й\u0624\u0626"  # their mark makes another letter: мой is not мои; Arabic waw and yeh with hamza


def fold(text: str) -> str:
    """The text as it is compared: no case, accents, look-alikes or invisible characters, white space runs one blank.

    The same for a blocked word and for what a stranger wrote; folding twice changes nothing. "leet" stays as it is.
    """
    letters = normalized("NFKC", text).casefold()
    return " ".join(normalized("NFKC", letters.translate(_TABLE)).split())


LETTERS = 20  # fewer say nothing: "Thank you!" is no campaign
_NO_LETTERS = re.compile(r"[\W_]+")


def says_enough(text: str) -> bool:
    """Whether there are letters enough to tell what is like it."""
    return len(_NO_LETTERS.sub("", fold(text))) >= LETTERS


def _table() -> dict[int, str | None]:
    """What becomes of each character: None for none, a letter for another, itself when it is missing."""
    table: dict[int, str | None] = {code: None for code in chain.from_iterable(_FORMAT) if category(chr(code)) == "Cf"}
    table |= {code: None for code in range(0x20) if not chr(code).isspace()}
    table |= dict.fromkeys(chain.from_iterable(_MARKS)) | dict.fromkeys(map(ord, _UNSEEN + _TATWEEL))
    for letters, targets in _LOOK_ALIKES.items():
        table |= {ord(letter): target for letter, target in zip(letters, targets, strict=True)}
    bare = {code: _bare(chr(code), table) for code in chain.from_iterable(_PRECOMPOSED)}
    return table | {code: letter for code, letter in bare.items() if letter != chr(code)}


def _bare(letter: str, table: dict[int, str | None]) -> str | None:
    """A precomposed letter without its marks, and then its look-alike."""
    return table.get(ord(letter), letter) if letter in _WHOLE else normalize("NFD", letter).translate(table)


_TABLE = _table()
