"""A letter says the same as plain text and as HTML."""

from __future__ import annotations

import re
from html import unescape

from models.mailing.letter import Letter, Part

LETTER = Letter(
    "A reply",
    [
        Part(
            "Zoe replied",
            ["A first paragraph that is long enough to need a second line in a plain mail."],
            "I <b>disagree</b> & so\ndoes Ben",
            {"text": "See the reply", "url": "https://paper.example/?a=1&b=2"},
        )
    ],
    ["You get this because you commented.", {"text": "Stop", "url": "https://paper.example/x"}],
)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_both_forms_have_the_same_words_in_the_same_order() -> None:
    body = LETTER.html().partition("<body")[2].partition(">")[2]
    links = re.sub(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', r"\2 \1", body)
    html = unescape(re.sub(r"<[^>]+>", " ", links))
    assert words(html) == words(LETTER.plain())


def test_a_reader_s_text_is_quoted_and_never_markup() -> None:
    assert "&lt;b&gt;disagree&lt;/b&gt; &amp; so<br>does Ben" in LETTER.html()
    assert "> I <b>disagree</b> & so\n> does Ben" in LETTER.plain()


def test_plain_lines_are_short_but_links_stay_whole() -> None:
    assert max(len(line) for line in LETTER.plain().split("\n")) <= 72
    assert "\nhttps://paper.example/?a=1&b=2\n" in LETTER.plain()


def test_the_letter_loads_nothing() -> None:
    assert not re.search(r"<(img|link|script|style)|url\(", LETTER.html())
