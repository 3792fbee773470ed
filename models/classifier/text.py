"""Splits a comment into tokens. Each knows its place in the original, so that a score can be
explained in the text.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from models.text.folding import GROWING, fold

# Top-level domains that end a host written without "http://". Some are words, too. The long ones
# count only in lower case, because "The end.Today" merely lacks a space; the short ones only before
# a path: "t.me/x", but not "do it.me too".
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
    """Return a pattern that branches by the first letter, so that a search tries few
    at each dot.
    """
    by_first: dict[str, list[str]] = {}
    for ending in endings.split():
        by_first.setdefault(ending[0], []).append(ending[1:])
    return "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items())


_ENDINGS = f"{_any_of(_ANY_CASE)}|(?-i:{_any_of(_SMALL)})"
_WORDS_TOO = _any_of(_SHORT)
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff"
_FILLER = "\u200b"

# Several words with one blank after each, none of which can begin a link ("paper dot example") or
# an address. Most of a text is of this kind, and finding its words one by one takes four times as
# long.
_WORDS = r"(?-i:(?:[^\W\d_][\w'’]*+\s(?=[^\W\d_])(?![Dd][Oo][Tt]\s)){1,100}+)"
# "++" and the like never give back what they matched. No other match would need it, because the
# next character never belongs to them. So the work at each place of a text is bounded.
_NAME = rf"\w[\w{_UNSEEN}-]{{0,62}}+"
_DOT = r"(?:\.|\s{1,2}\.\s{0,2}|\s?[\[({]\s?(?:dot|\.)\s?[\])}]\s?|\sdot\s)"
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PLAIN = str.maketrans(_FULL_WIDTH | {0x3002: ".", 0xFF61: "."})  # the last two: CJK full stops
_NOT_PLAIN = re.compile("[\uff01-\uff5e\u3002\uff61]+")
_PATH = r"""[/?\#][^\s<>"')\]]{0,2000}"""
_TOKEN = re.compile(
    rf"""
      (?P<words>  {_WORDS} )
    | (?P<line>   _+(?=_{{64}}) )  # not a token: names have at most 63 characters
    | (?P<email>  [\w.+-]{{1,64}}+@[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+){{1,4}}+ )
    | (?P<link>   (?:h(?:tt|xx)ps?\s?:\s?//|www\s?\.)\s?[^\s<>"')\]]{{1,2000}}
                | {_NAME}(?:\.{_NAME}){{0,4}}{_DOT}
                      (?:(?:{_ENDINGS})(?![\w@])(?:{_PATH})?|(?:{_WORDS_TOO}){_PATH}) )
    | (?P<user>   @[\w.]{{1,100}} )
    | (?P<phone>  \+?\d(?:[\s().-]{{0,2}}\d){{8,14}}(?!\d) )
    | (?P<money>  [$£€₽₹¥₿]\s?\d[\d.,]* | \d[\d.,]*\s?(?:[$£€₽₹¥₿]|usdt?\b|eur\b|руб\w*) )
    | (?P<number> \d[\d.,:]* )
    | (?P<word>   [^\W\d_][\w{_UNSEEN}'’]* )
    | (?P<marks>  (?P<mark>[^\w\s{_UNSEEN}])(?:(?P=mark)|[{_UNSEEN}])* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A comment shorter than LONG has no more tokens and letters than the other two numbers.
MOST_TOKENS, MOST_LETTERS, LONG = 2200, 11_000, 2200
_SURELY_READ = MOST_LETTERS // 18  # no character folds to more than 18
_DIGIT, _DOTS = re.compile(r"\d"), re.compile(_DOT, re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][a-z0-9]{0,9}(?:\s[^<>]{0,2000})?/?>", re.IGNORECASE)
_HOST = re.compile(r"(?:h(?:tt|xx)ps?\s?:\s?//)?\s?(?:www\s?\.\s?)?([^\s/?#:]+)", re.IGNORECASE)


class Token(NamedTuple):
    """A piece of a comment: its kind (a group of the pattern above), its text in the form in which
    it is compared, and its place. `original[start:end]` is what the writer typed.
    """

    kind: str
    text: str
    start: int
    end: int


def read(original: str) -> list[Token]:
    """Return the tokens of a comment in order. Of an absurdly long one, return only the first."""
    return _read(original)[0] if len(original) < LONG else list(_read_long(original)[0])


def reads_all(original: str) -> bool:
    """Whether `read` reaches the end of a comment."""
    return (len(original) < LONG and not GROWING.search(original)) or _read_long(original)[1]


def _read(original: str) -> tuple[list[Token], bool]:
    tokens: list[Token] = []
    for match in _TOKEN.finditer(_plain(original)):
        if match.lastgroup == "words":
            _add_words(tokens, match)
        else:
            tokens.append(_token(match))
        if len(tokens) > MOST_TOKENS:
            break
    kept = _bounded(tokens) if len(original) > _SURELY_READ else tokens
    return [token for token in kept if token.text], len(kept) == len(tokens)


def _bounded(tokens: list[Token]) -> list[Token]:
    """Return the first tokens, up to `MOST_TOKENS` and `MOST_LETTERS`."""
    letters = list(accumulate(len(token.text) for token in tokens))
    return tokens[: min(MOST_TOKENS, bisect_right(letters, MOST_LETTERS))]


_read_long = lru_cache(8)(_read)  # `reads_all` and an explanation read the same text again


def _add_words(tokens: list[Token], match: re.Match[str]) -> None:
    start = match.start()
    for written in match[0].split():
        end = start + len(written)
        tokens.append(_new(Token, ("word", _word(written), start, end)))
        start = end + 1


_new = tuple.__new__  # takes a third of the time of `Token(…)`


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or "marks"
    return Token(kind, _TEXTS[kind](match[0]), match.start(), match.end())


def _plain(original: str) -> str:
    """Return the text without HTML. Every character keeps its place: shorter spellings are padded
    with invisible characters.
    """
    if "<" in original:
        original = _TAG.sub(lambda tag: " " * len(tag[0]), original)
    if "&" in original:
        original = _ENTITY.sub(_character, original)
    if original.isascii():
        return original
    return _NOT_PLAIN.sub(lambda run: run[0].translate(_PLAIN), original)


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
    """Return only its length in zeros, because every comment has another price or phone number."""
    return _DIGIT.sub("0", fold(written))


def _host(written: str) -> str:
    """Return the host that a link leads to, however its dots are written, without "www"."""
    host = _HOST.match(_DOTS.sub(".", written))
    return fold(host[1]).strip(".") if host else ""


@lru_cache(2**12)
def _run(written: str) -> str:
    """Shorten "!!!!!" to "!!!", because more than three add no information."""
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
