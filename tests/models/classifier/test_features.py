"""The features of a comment: the same for the same text, alone or among others, long or short."""

import random

import numpy as np
import pytest

from models.classifier.features import (
    COLUMNS,
    COUNTED,
    COUNTED_COLUMNS,
    MANY,
    WORDS_DAMPING,
    features,
    piece_columns,
    pieces,
    spans_of_counted,
    values,
    word_columns,
)
from models.classifier.text import read

TEXTS = [
    "Check out http://example.com NOW!!!",
    "I was there in 1974 😀",
    "",
    "Спасибо за статью",
    "ok ok ok ok ok",
]


def counted(text: str) -> dict[str, float]:
    return dict(zip(COUNTED, features([text]).toarray()[0, : len(COUNTED)].tolist(), strict=True))


def test_a_comment_alone_has_the_numbers_it_has_among_others() -> None:
    together = features(TEXTS).toarray()

    for row, text in zip(together, TEXTS, strict=True):
        np.testing.assert_array_equal(features([text]).toarray()[0], row)


def test_no_comments_are_no_rows() -> None:
    assert features([]).shape == (0, COLUMNS)


def test_case_accents_and_disguises_make_no_difference_to_words() -> None:
    plain, disguised = features(["buy viagra now", "buy vіаgrá now"]).toarray()[:, len(COUNTED) :]

    np.testing.assert_array_equal(plain, disguised)


def test_a_byte_order_mark_reveals_nothing() -> None:
    assert (features(["\ufeffnice song"]) != features(["nice song"])).nnz == 0


def test_length_itself_is_no_number() -> None:
    once = (
        "I read your series on the old railway with great pleasure, as my uncle was a "
        "signalman there."
    )
    longer = once + (
        " He let me pull the lever for an evening train if I could recite its timetable from "
        "memory."
    )

    assert counted(longer) == pytest.approx(counted(once), abs=0.05)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("see example.com", "has a link", 1),
        ("see a.com b.com c.com d.com", "number of links, up to 3", 1),
        ("call +44 7700 900123", "has a phone number or an email address", 1),
        ("write to ann@example.org", "has a phone number or an email address", 1),
        ("only $5", "names a sum of money", 1),
        ("SHOUTING", "share of capitals", 1),
        ("OK", "share of capitals", 0),
        ("what!!! no! yes!", "exclamation marks, up to 3", 1),
        ("buy it buy it buy it", "share of repeated word pairs", 0.6),
        ("vi\u200bagra", "has characters that draw nothing", 1),
        ("👩\u200d👧", "has characters that draw nothing", 0),  # a family is joined by one
        ("🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀", "pictures, up to 10", 1),
        ("vіаgra", "letters of another alphabet inside words", 0.3199),
        ("𝐜𝐚𝐬𝐢𝐧𝐨 " * 6, "letters of decorative alphabets", 1),
        ("b o n u s", "words spelled letter by letter", 0.5218),
        ("v1agra", "digits and signs for letters", 0.2018),
        ("vi\u200bagra", "characters inside words that draw nothing", 0.2018),
        ("v\u0336i\u0336a\u0336gra", "accents that no language has", 0.4037),
    ],
)
def test_counted_features(text: str, name: str, value: float) -> None:
    assert counted(text)[name] == pytest.approx(value, abs=1e-4)


def test_a_long_comment_has_the_same_pieces_although_they_are_hashed_at_once() -> None:
    letters = [chr(code) for code in (*range(0x61, 0x7B), 0xDF, 0x436, 0x4E2D, 0x1F600)]
    tokens = read(" ".join(a + b * (at % 4) for a in letters for at, b in enumerate(letters)))

    assert len(tokens) > MANY
    one_by_one = np.concatenate([pieces(token.text) for token in tokens])
    np.testing.assert_array_equal(np.sort(piece_columns(tokens)), np.sort(one_by_one))


def test_pieces_are_of_two_to_five_letters_with_a_blank_on_either_side() -> None:
    # " ok " has 3 pieces of two letters, 2 of three and 1 of four.
    assert len(pieces("ok")) == 6
    assert pieces("ok").dtype == np.int32
    assert set(pieces("ok")) & set(pieces("oks"))


@pytest.mark.parametrize("word", ["a", "ok", "ferry", "мост", "橋", "😀", "a" * 300])
def test_columns_of_hashes_are_behind_those_of_counts(word: str) -> None:
    assert len(pieces(word)) >= 3
    assert pieces(word).min() >= COUNTED_COLUMNS
    assert pieces(word).max() < COLUMNS


def test_words_come_before_pairs_of_words() -> None:
    tokens = read("the late ferry")
    columns = word_columns(tokens)

    assert len(columns) == 3 + 2
    np.testing.assert_array_equal(columns[:3], [word_columns([token])[0] for token in tokens])


def test_a_pair_is_not_the_same_the_other_way_round() -> None:
    assert word_columns(read("late ferry"))[2] != word_columns(read("ferry late"))[2]


def test_nothing_to_read_has_no_columns() -> None:
    assert piece_columns([]).shape == word_columns([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "name", "parts"),
    [
        ("see http://a.example now", "has a link", ["http://a.example"]),
        ("call +44 20 7946 0000 or a@b.example", "has a phone number or an email address",
         ["+44 20 7946 0000", "a@b.example"]),
        ("only $5", "names a sum of money", ["$5"]),
        ("OK Then go", "share of capitals", ["OK", "Then"]),
        ("go!! now!", "exclamation marks, up to 3", ["!!", "!"]),
        ("buy now buy now", "share of repeated word pairs", ["buy now", "buy now"]),
        ("a 😀 b ☀", "pictures, up to 10", ["😀", "☀"]),
        ("v\u200bw", "has characters that draw nothing", ["\u200b"]),
        ("a v1agra b", "digits and signs for letters", ["v1agra"]),
        ("plain", "has a link", []),
    ],
)  # fmt: skip
def test_counted_features_have_their_place_in_the_text(
    text: str, name: str, parts: list[str]
) -> None:
    spans = spans_of_counted(text, read(text))[COUNTED.index(name)]

    assert [text[start:end] for start, end in spans] == parts


@pytest.mark.parametrize("times", [[1], [1, 1, 3], [9, 1]])
def test_the_values_of_one_comment_are_those_of_its_row(times: list[int]) -> None:
    words = [f"word{number}" for number, many in enumerate(times) for _ in range(many)]
    random.Random(1).shuffle(words)
    columns, counts = np.unique(word_columns(read(" ".join(words))), return_counts=True)
    row = features([" ".join(words)]).toarray()[0]
    both = np.isin(columns, np.unique(piece_columns(read(" ".join(words)))))

    expected = values(counts, WORDS_DAMPING)

    np.testing.assert_allclose(row[columns[~both]], expected[~both], rtol=1e-6)


def test_korean_words_are_read_letter_by_letter() -> None:
    base, ending = set(pieces("바보").tolist()), set(pieces("바본").tolist())
    assert len(base & ending) > len(base) / 2
    tokens = read("바보 idiot " * MANY)
    one_by_one = np.concatenate([pieces(token.text) for token in tokens])
    assert sorted(piece_columns(tokens).tolist()) == sorted(one_by_one.tolist())
