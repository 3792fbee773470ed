"""Texts that are made to be slow to read, each in any length. To add one, add a piece, a pair or a
function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from random import Random
from typing import NamedTuple


class Family(NamedTuple):
    """Texts that differ only in their length: `make(length)` has about that many characters, and
    never more.
    """

    name: str
    make: Callable[[int], str]


# Pieces at which a reader of text must stop, grouped by what they mean. Each is repeated alone and
# mixed with others.
PIECES = {
    "words": [
        "a b ",
        "A ",
        "don't ",
        "a'",
        "тест ",
        "aа",
        "Ünï ",
        "中",
        "中。",
        "カ",
        "ｶﾞ",
        "각",
        "กำ",
        "ि",
        "مرحبا ",
    ],
    "signs": ["!", "!?", "'", '"', "\\", "|", "%", "-", "=", "😀", "👨‍👩‍👧", "·", "﹪", "∑"],
    "numbers": ["1", "1 ", "1.", "1,", "1-", "+1", "$1", "$1 ", "٠", "߀", "ⅷ", "1 2 "],
    "blanks": ["\n", "\n\n", "  \n", "\t", "\u2028", "\u3000", "a\n", "a\n\n", " \u200b"],
    "unseen": ["\u200b", "a\u200b", "\u00ad", "\u200d", "\u180e", "\ufe0f", "_\u200b"],
    "marks": [
        "\u0301",
        "e\u0301",
        "a" + "\u0301" * 30,
        "\u0915\u094d",
        "\u0e33",
        "a\u0315\u0300\u0323",
    ],
    "growing": ["ﷺ", "㌖", "ﬃ", "ß", "İ", "𝐚", "⑴", "ΐ", "\u1e9e"],
    "Markdown": [
        *(
            "*",
            "_",
            "`",
            "~~",
            "**a",
            "*a ",
            "a*",
            "_a_",
            "a_",
            "`a",
            "``` ",
            "```\n",
            "~~~\n",
            "[",
            "]",
            "](",
            "[](",
            "![a](",
        ),
        *(
            "[x](http://a.b)",
            "[a](b.c ",
            "[a](<b",
            "[a]: b\n",
            "> ",
            "- ",
            "> - ",
            "1. ",
            "+ ",
            "- a\n",
            "> a\n",
            "* * ",
        ),
        *("- - ", "    a\n", "\\[", "\\a", "|a|b\n|-|-|\n", "a\\\n", "# a\n", "---\n"),
    ],
    "HTML": [
        *(
            "<",
            ">",
            "<a",
            "<a ",
            "href=",
            "<a href=x>",
            "<a href=a.com>a</a>",
            "</a>",
            "<b>",
            "<div>",
            "<!--",
            "-->",
        ),
        *("<![CDATA[", "<?", "<http://a>", "<a@b.c>", "<p/>", "<a b=c ", "</"),
    ],
    "entities": ["&", "&#", "&amp;", "&a", "&#x301;", "&#97;", "&lt;", "&NotEqualTilde;", "&#0;"],
    "BBCode": ["[url]", "[url=", "[url=x]", "[/url]", "[url]a.com[/url]", "[b]", "[img]"],
    "addresses": [
        *(
            "http://",
            "http://a",
            "https://a.b ",
            "http://a.com/(",
            "//",
            "//a",
            "//a.com ",
            "www.",
            "www.a",
            "a.",
            "a.b ",
            "a.b,",
        ),
        *(
            "a.com ",
            "a.com",
            "a.com/",
            "a.com/?a=b&",
            "a.a.",
            ". ",
            " . ",
            "[.]",
            "(dot) ",
            " dot ",
            "a dot ",
            "a (dot) com ",
        ),
        *(
            "a [.] com/",
            "hxxp://",
            "hxxp://a ",
            "h x x p",
            "://",
            "ftp://a",
            "a://",
            "tel:",
            "%41",
            "?a=",
            "&b=",
            "#a",
            "xn--a",
        ),
        *(
            "xn--a.com ",
            "ü.com ",
            "．a",
            "：／／",
            "。com",
            "a точка ru ",
            "a-",
            "a-a.",
            "(((",
            "http://[::1]",
            "http://1.2.3.4 ",
        ),
        *(
            "http://user@a.com ",
            "javascript:",
            "a.me/",
            "t.me/a ",
            "http:/\\",
            "http://%61.com ",
            "HTTP://A.COM/",
        ),
    ],
    "mail": ["@", "a@", "a@b", "a@b.c ", "@a ", "mailto:a", "a.b@c.d,", '"a"@b.c ', "+@"],
}
ALL_PIECES = [piece for pieces in PIECES.values() for piece in pieces]
# An opening, a unit that follows it repeatedly, and an end that breaks the construction.
BROKEN = [
    *(
        ("<a ", "href=", " //"),
        ("<a ", "href=", "a" * 200),
        ("<a href=x", " href", ">//"),
        ("[url=", "[url=", "]"),
    ),
    *(
        ("[x](", "a", " //"),
        ("[", "[]", "(//a.com)"),
        ("http://a", "(", ")"),
        ("http://a.com/", "(a", "//"),
    ),
    *(
        ("http://", "a.", "com"),
        ("http://", "-", ".com"),
        ("&", "a", ";"),
        ("<", "a ", ">"),
        ("a@", "a.", "@"),
    ),
    *(
        ("http://", "ü", ".com"),
        ("http://xn--", "a", ".com"),
        ("//", "a", ""),
        ("http://a/", "?", "b"),
        ("**", "a *", "**"),
    ),
    *(
        ("`", "``", "`"),
        ("[a](<", "a", ">)"),
        ('[a](b "', 'a"', ")"),
        ("a", " \n", "b"),
        ("<!--", "-", "->"),
        ("[a][", "a", "]"),
    ),
]


def families(seed: int = 0, mixed: int = 0) -> Iterator[Family]:
    """Return all families: single pieces, broken constructions, the special ones, and `mixed`
    random mixtures of pieces.
    """
    for piece in ALL_PIECES:
        yield Family(f"{piece!a} again and again", partial(_filled, ("",), (piece,), ("",)))
    for parts in BROKEN:
        yield Family(" … ".join(map(ascii, parts)), partial(_filled, *([part] for part in parts)))
    yield from special()
    chance = Random(seed)
    for _ in range(mixed):
        yield _mixture(chance)


def telling() -> list[Family]:
    """Return the few families that once found a problem, for a check that takes seconds."""
    few = [
        "a b ",
        "中。",
        "ﷺ",
        "_",
        "&",
        "<http://a>",
        "a.com ",
        "[x](http://a.b)",
        "．a",
        "a-a.",
        "%41",
        "> a\n",
        "\u200b",
    ]
    known = {family.name: family for family in families()}
    return [
        *(known[f"{piece!a} again and again"] for piece in few),
        *(known[" … ".join(map(ascii, parts))] for parts in BROKEN[:8]),
        *special(),
    ]


def special() -> list[Family]:
    """Return families that are not a repeated piece."""
    return [
        Family(
            "words that are all different",
            lambda length: _different(length, lambda n: f"{_letters(n)} "),
        ),
        Family(
            "ideographs that are all different",
            lambda length: _different(length, lambda n: chr(0x4E00 + n % 20_000) + " "),
        ),
        Family(
            "signs that are all different",
            lambda length: _different(length, lambda n: chr(0x2190 + n % 4000)),
        ),
        Family(
            "hosts that are all different",
            lambda length: _different(length, lambda n: f"{_letters(n)}.com "),
        ),
        Family(
            "addresses that are all different",
            lambda length: _different(length, lambda n: f"http://{_letters(n)}.de/{n} "),
        ),
        Family(
            "Markdown links that are all different",
            lambda length: _different(length, lambda n: f"[a](http://{_letters(n)}.de)"),
        ),
        Family(
            "IDN hosts",
            lambda length: _different(
                length, lambda n: f"http://{chr(0x430 + n % 32) * (n % 40 + 1)}.рф "
            ),
        ),
        Family(
            "numbers that are all different",
            lambda length: _different(length, lambda n: f"{n}.{n} "),
        ),
        Family("one word", lambda length: "a" * length),
        Family("one word without a Latin letter", lambda length: "ж" * length),
        Family("openings, then closings", lambda length: "[" * (length // 2) + "]" * (length // 2)),
        Family(
            "quotes in quotes",
            lambda length: "\n".join(">" * (n % 60) + " a" for n in range(length // 32))[:length],
        ),
        Family(
            "lists in lists",
            lambda length: "\n".join(" " * (n % 60) + "- a" for n in range(length // 34))[:length],
        ),
        Family(
            "marks in falling order",
            lambda length: "a" + "".join(mark * (length // 3) for mark in "\u0315\u0300\u0323"),
        ),
        Family(
            "scripts in turn", lambda length: "".join(islice(cycle("aаαա中あア가กאا1"), length))
        ),
    ]


def _filled(openings: list[str], units: list[str], closings: list[str], length: int) -> str:
    """Return the opening, the units in turn as often as they fit, and the closing."""
    opening, closing = "".join(openings), "".join(closings)
    room = max(0, length - len(opening) - len(closing))
    unit = "".join(units)
    return (opening + (unit * (room // len(unit) + 1))[:room] + closing)[:length]


def _mixture(chance: Random) -> Family:
    opening, closing = (
        [chance.choice(ALL_PIECES) for _ in range(chance.randrange(3))] for _ in range(2)
    )
    units = [chance.choice(ALL_PIECES) for _ in range(chance.randint(1, 4))]
    name = f"{''.join(opening)!a} … {''.join(units)!a} … {''.join(closing)!a}"
    return Family(name, partial(_filled, opening, units, closing))


def _different(length: int, make: Callable[[int], str]) -> str:
    parts, size = [], 0
    for n in range(length):
        part = make(n)
        size += len(part)
        if size > length:
            break
        parts.append(part)
    return "".join(parts)


def _letters(number: int) -> str:
    """Return that number in letters, at least two of them."""
    letters = ""
    while number or len(letters) < 2:
        number, rest = divmod(number, 26)
        letters += chr(ord("a") + rest)
    return letters
