"""The tokens that a comment is split into, and their places in the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier import text as reading
from models.classifier.text import MOST_LETTERS, MOST_TOKENS, read, reads_all


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in read(text)]


@pytest.mark.parametrize(
    "written",
    [
        "http://www.example.com/page?x=1",
        "https://example.com",
        "HTTP://EXAMPLE.COM",
        "hxxp://example.com",
        "www.example.com",
        "www . example.com",
        "example.com",
        "example . com",
        "example(dot)com",
        "example [.] com",
        "example dot com",
        "ｅｘａｍｐｌｅ．ｃｏｍ",
        "example。com",
        "ехаmple.com",  # Cyrillic letters
        "exam\u200bple.com",
    ],
)
def test_a_link_is_its_host_however_it_is_spelled(written: str) -> None:
    assert kinds(written) == [("link", "example.com")]


@pytest.mark.parametrize(
    ("text", "is_all"),
    [
        ("A sentence of eleven words and signs, which is an ordinary one. " * 150, True),
        ("a " * MOST_TOKENS, True),
        ("a " * MOST_TOKENS + "_", True),
        ("a " * (MOST_TOKENS + 1), False),
        ("ﷺ", True),
        ("ﷺ " * (MOST_LETTERS // 18 + 1), False),
        ("_" * 10_000, True),
    ],
)
def test_an_absurdly_long_text_is_not_read_to_its_end(text: str, is_all: bool) -> None:
    assert reads_all(text) is is_all
    assert len(read(text)) <= MOST_TOKENS


@pytest.mark.parametrize("before", ["", "_" * 10, "_" * 64, "_" * 200])
def test_a_long_line_before_an_address_leaves_the_address_alone(before: str) -> None:
    assert [kind for kind, _ in kinds(f"{before} ann@example.org")] == ["email"]
    assert kinds(f"{before}/") == [("marks", "/")]


@pytest.mark.parametrize(
    "text",
    [
        "do it.me too",
        "the end.is near",
        "Hello.World",
        "The end.Today",
        "e.g. this",
        "etc.",
        "3.14",
        "a...b",
    ],
)
def test_a_missing_blank_makes_no_link(text: str) -> None:
    assert "link" not in {token.kind for token in read(text)}


def test_an_ending_that_is_also_a_word_needs_a_path() -> None:
    assert kinds("t.me/joinchat") == [("link", "t.me")]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("ann@example.org", ("email", "@")),
        ("@ann", ("user", "@user")),
        ("+44 7700 900123", ("phone", "+00")),
        ("$5,000", ("money", "$$0,000")),
        ("500 €", ("money", "$000 €")),
        ("2024", ("number", "0000")),
        ("Don’t", ("word", "don't")),
        ("ѕрам", ("word", "spam")),
        ("!!!!!!!!", ("marks", "!!!")),
    ],
)
def test_each_kind_of_piece_is_recognised(written: str, read_as: tuple[str, str]) -> None:
    assert kinds(written) == [read_as]


def test_html_is_read_as_its_visible_text() -> None:
    assert kinds("Tom &amp; Ann<br />said &#39;yes&#39;") == kinds("Tom & Ann said 'yes'")


@pytest.mark.parametrize(
    "text",
    [
        "a &amp; b",
        "<b>bold</b> word",
        "&lt;3 you",
        "wo\u200brd ｆｕｌｌ width",
        "see example . com now",
        "\ufeffmark",
    ],
)
def test_every_piece_knows_its_place_in_the_original(text: str) -> None:
    for token in read(text):
        [alone] = read(text[token.start : token.end])
        assert alone.text == token.text


@given(st.text())
def test_pieces_follow_one_another_within_the_text(text: str) -> None:
    end = 0
    for token in read(text):
        assert end <= token.start < token.end <= len(text)
        assert token.text
        end = token.end


@pytest.mark.timeout(60)  # a pattern that backtracks takes hours here
@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "a ",
        "1 ",
        "1-",
        "@",
        "a@a.",
        "<a ",
        "&#",
        "http://",
        "a . ",
        "\u200b",
        "$1,",
        "!?",
        "x" * 62 + ".",
        "_",
    ],
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    for _ in range(10):
        read((piece * 10_000)[:10_000])


_ONE_BY_ONE = re.compile(
    reading._TOKEN.pattern.replace(reading._WORDS, "(?!)"), reading._TOKEN.flags
)


@given(st.lists(st.sampled_from(
    ["paper", "Dot", "dot ", " ", "\n", ".", "com", "www", ":", "//", "@", "it's", "3", "$", "\u200b",
     "_", "é", "Ж", "中", "!", "(", "\x1c", "\u00a0", "²"]
), max_size=40).map("".join))  # fmt: skip
def test_words_found_together_are_those_found_one_by_one(written: str) -> None:
    together = read(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_TOKEN", _ONE_BY_ONE)
        assert read(written) == together
