"""Numbers of a comment: the same for the same text, alone or among others, long or short."""

import numpy as np
import pytest

from models.spam.features import COLUMNS, COUNTED, MANY, features, piece_columns, pieces
from models.spam.text import read

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


def test_a_byte_order_mark_gives_nothing_away() -> None:
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
        ("buy it buy it buy it", "share of pairs of words that are said again", 0.6),
        ("vi\u200bagra", "has characters that draw nothing", 1),
        ("👩\u200d👧", "has characters that draw nothing", 0),  # a family is joined by one
        ("🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀", "pictures, up to 10", 1),
    ],
)
def test_what_is_counted(text: str, name: str, value: float) -> None:
    assert counted(text)[name] == pytest.approx(value)


def test_a_long_comment_has_the_same_pieces_although_they_are_hashed_at_once() -> None:
    letters = [chr(code) for code in (*range(0x61, 0x7B), 0xDF, 0x436, 0x4E2D, 0x1F600)]
    tokens = read(" ".join(a + b * (at % 4) for a in letters for at, b in enumerate(letters)))

    assert len(tokens) > MANY
    one_by_one = np.concatenate([pieces(token.text) for token in tokens])
    np.testing.assert_array_equal(np.sort(piece_columns(tokens)), np.sort(one_by_one))
