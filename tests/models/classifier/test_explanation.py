"""An explained score adds up exactly, and each part can be found in the typed text."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.classifier.explanation import Explanation, explain, explain_counts
from models.classifier.features import COUNTED, sparse_features
from models.classifier.model import base_model
from models.classifier.place import Place

ODD = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["check", "OUT", "out", "http://a.com/x", "example . com", "&amp;", "<b>", "\ufeff", "vi\u200bagra", "$5",
             "!!!", "+1 202 555 0143", "Спасибо", "😀", "ｆｕｌｌ", "@ann", "ann@example.org", "٣", "ß", "ﬁ"]
        ),
        max_size=30,
    ).map(" ".join),
)  # fmt: skip


def explained(text: str, context: Place | None = None) -> Explanation:
    return explain(base_model(), text, context)


@settings(deadline=None)
@given(ODD)
@example("")
@example("out out out check out OUT")
@example("00C03040A1 CEC1 CHEC>CHEC500101::;;=I2$ 000000000 000000000<000I020ß1@'0ﬀ")
def test_the_parts_and_the_intercept_add_up_to_the_score(text: str) -> None:
    explanation = explained(text)

    total = explanation.intercept + sum(part.log_odds for part in explanation.parts)

    assert total == pytest.approx(
        base_model().log_odds([text])[0], rel=1e-6, abs=1e-6
    )  # features have seven digits
    assert explanation.log_odds == pytest.approx(total, abs=1e-9)


@settings(deadline=None)
@given(ODD)
def test_every_part_has_its_place_in_the_original(text: str) -> None:
    for part in explained(text).parts:
        assert all(0 <= start < end <= len(text) for start, end in part.spans)
        if part.is_word:
            assert part.what == text[slice(*part.spans[0])]
        else:
            assert part.what in COUNTED


@settings(deadline=None)
@given(ODD)
def test_shares_are_parts_of_a_whole_and_the_largest_is_first(text: str) -> None:
    shares = [part.share for part in explained(text).parts]

    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1) or not any(shares)


def test_the_words_that_sell_push_up_and_the_same_word_twice_is_one_part_with_two_places() -> None:
    text = "Subscribe to my channel! My CHANNEL is new"

    [part] = [part for part in explained(text).up() if part.what.lower() == "channel"]

    assert [text[start:end] for start, end in part.spans] == ["channel", "CHANNEL"]


def test_a_disguised_word_is_shown_as_it_was_typed() -> None:
    text = "please vi&#115;it сheap-pills . com"

    words = {part.what for part in explained(text).parts if part.is_word}

    assert words == {"please", "vi&#115;it", "сheap-pills . com"}


def test_a_link_to_the_page_itself_moves_nothing() -> None:
    page = Place(page=["https://paper.example.com/bridge"])
    text = "As I wrote at https://www.paper.example.com/bridge?from=mail#c12 it leaks"

    assert any(part.what == "has a link" for part in explained(text).parts)
    assert not any(part.what == "has a link" for part in explained(text, page).parts)
    assert explained(text, page).log_odds == pytest.approx(
        base_model().log_odds([text], [page])[0], abs=1e-6
    )


def test_evidence_gets_the_weightiest_and_what_the_rest_adds() -> None:
    shown = explained(
        "Check out my new channel, subscribe at www.example.com for a FREE gift!!!"
    ).as_json(most=2)

    assert len(shown["up"]) == 2
    assert set(shown["up"][0]) == {"word", "log_odds", "share", "spans"}
    parts = (
        shown["intercept"]
        + shown["rest"]
        + sum(part["log_odds"] for part in shown["up"] + shown["down"])
    )
    assert parts == pytest.approx(shown["log_odds"], abs=1e-6)
    assert shown["version"] == base_model().version


def test_a_score_that_reads_no_words_is_explained_by_its_counts() -> None:
    model, text = base_model(), "Tienaa 500€ päivässä: http://rahaa.example v1agra"

    explanation = explain_counts(model, text)

    assert model.counts_alone is not None
    assert explanation.log_odds == pytest.approx(
        model.counts_alone.of_rows(sparse_features([text]))[0]
    )
    assert {part.what for part in explanation.up()} >= {
        "has a link",
        "digits and signs for letters",
    }
    assert not any(part.is_word for part in explanation.parts)
