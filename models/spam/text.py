"""Reads a comment into tokens, each with its place in the original, so that a score can be
explained in the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from models.text.folding import GROWING, fold

# What may end a host that is written without "http://". Of those that are words too the long ones
# count only in small letters, as "The end.Today" just lacks a blank, and the short ones only before
# a path: "t.me/x", not "do it.me too".
_ANY_CASE = (
    "com net org info biz edu gov ru su ua kz uk de fr nl pl br jp cn ca au ch eu tv cc ly gl "
    "io ai co gg vip xyz icu "
    "рф"
)
_SMALL = (
    "fun top site online shop store club app dev pro live link click bet casino finance money "
    "space website blog tech "
    "cam loan win work today world life news"
)
_SHORT = "me it in is be to at us so id la my am st es as by no do we"


def _any_of(endings: str) -> str:
    """A pattern for these, by their first letter: a search looks at few of them at each dot."""
    firsts = dict.fromkeys(ending[0] for ending in endings.split())
    return "|".join(
        f"{first}(?:{'|'.join(ending[1:] for ending in endings.split() if ending[0] == first)})"
        for first in firsts
    )


_ENDINGS = f"{_any_of(_ANY_CASE)}|(?-i:{_any_of(_SMALL)})"
_WORDS_TOO = _any_of(_SHORT)
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff"
_FILLER = "\u200b"

# "++" and the like never give back what they took, which no other way of matching would need: what
# comes next is never one of theirs. So each place of a text is looked at a bounded number of times.
_NAME = rf"\w[\w{_UNSEEN}-]{{0,62}}+"
_DOT = r"(?:\.|\s{1,2}\.\s{0,2}|\s?[\[({]\s?(?:dot|\.)\s?[\])}]\s?|\sdot\s)"
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(
    (0x3002, 0xFF61), "."
)  # full width
_PATH = r"""[/?\#][^\s<>"')\]]{0,2000}"""
_TOKEN = re.compile(
    rf"""
      (?P<line>   _+(?=_{{64}}) )  # no token: "_" begins one only as a part of a name, which has no more letters
    | (?P<email>  [\w.+-]{{1,64}}+@[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+){{1,4}}+ )
    | (?P<link>   (?:h(?:tt|xx)ps?\s?:\s?//|www\s?\.)\s?[^\s<>"')\]]{{1,2000}}
                | {_NAME}(?:\.{_NAME}){{0,4}}{_DOT}(?:(?:{_ENDINGS})(?![\w@])(?:{_PATH})?|(?:{_WORDS_TOO}){_PATH}) )
    | (?P<user>   @[\w.]{{1,100}} )
    | (?P<phone>  \+?\d(?:[\s().-]{{0,2}}\d){{8,14}}(?!\d) )
    | (?P<money>  [$£€₽₹¥₿]\s?\d[\d.,]* | \d[\d.,]*\s?(?:[$£€₽₹¥₿]|usdt?\b|eur\b|руб\w*) )
    | (?P<number> \d[\d.,:]* )
    | (?P<word>   [^\W\d_][\w{_UNSEEN}'’]* )
    | (?P<marks>  (?P<mark>[^\w\s{_UNSEEN}])(?:(?P=mark)|[{_UNSEEN}])* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
MOST_TOKENS, MOST_LETTERS, LONG = (
    2200,
    11_000,
    2200,
)  # a comment below `LONG` can have no more than these
_DIGIT, _DOTS = re.compile(r"\d"), re.compile(_DOT, re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][a-z0-9]{0,9}(?:\s[^<>]{0,2000})?/?>", re.IGNORECASE)
_HOST = re.compile(r"(?:h(?:tt|xx)ps?\s?:\s?//)?\s?(?:www\s?\.\s?)?([^\s/?#:]+)", re.IGNORECASE)


class Token(NamedTuple):
    """A piece of a comment: its kind (a group of the pattern above), how it is compared, and where
    it stands.

    `original[start:end]` is what the writer typed.
    """

    kind: str
    text: str
    start: int
    end: int


def read(original: str) -> list[Token]:
    """The tokens of a comment in their order; of one with more than anybody writes the first ones."""
    return _read(original)[0] if len(original) < LONG else list(_read_long(original)[0])


def reads_all(original: str) -> bool:
    """Whether `read` comes to the end of a comment."""
    return (len(original) < LONG and not GROWING.search(original)) or _read_long(original)[1]


def _read(original: str) -> tuple[list[Token], bool]:
    tokens: list[Token] = []
    letters = 0
    matches = _TOKEN.finditer(_plain(original))
    for match in islice(matches, MOST_TOKENS):
        token = _token(match)
        letters += len(token.text)
        if letters > MOST_LETTERS:
            return tokens, False
        if token.text:
            tokens.append(token)
    return tokens, next(matches, None) is None


_read_long = lru_cache(8)(_read)  # who explains a score, or doubts that all was read, asks again


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or "marks"
    return Token(kind, _TEXTS[kind](match[0]), match.start(), match.end())


def _plain(original: str) -> str:
    """The text without HTML, every character still in its place: a shorter spelling is filled up
    with unseen ones.
    """
    if "<" in original:
        original = _TAG.sub(lambda tag: " " * len(tag[0]), original)
    if "&" in original:
        original = _ENTITY.sub(_character, original)
    return original.translate(_PLAIN)


def _character(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    return (
        character.ljust(len(entity[0]), _FILLER) if len(character) <= len(entity[0]) else entity[0]
    )


@lru_cache(2**14)
def _word(written: str) -> str:
    return fold(written).replace("’", "'")


@lru_cache(2**12)
def _number(written: str) -> str:
    """Only how long it is: a price or a phone number is new in every comment."""
    return _DIGIT.sub("0", fold(written))


def _host(written: str) -> str:
    """The host a link leads to, however its dots are written, without "www"."""
    host = _HOST.match(_DOTS.sub(".", written))
    return fold(host[1]).strip(".") if host else ""


@lru_cache(2**12)
def _run(written: str) -> str:
    """ "!!!!!" is "!!!": more than three are as loud as three."""
    return fold(written)[:3]


_TEXTS: dict[str, Callable[[str], str]] = {
    "line": lambda _: "",
    "email": lambda _: "@",
    "link": _host,
    "user": lambda _: "@user",
    "phone": lambda _: "+00",
    "money": lambda written: "$" + _number(written),
    "number": _number,
    "word": _word,
    "marks": _run,
}
