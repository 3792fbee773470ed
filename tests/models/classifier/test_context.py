"""The counts beside a text as columns: their values, and whether they are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.context import COLUMNS, COUNTS, EDITION, TAKEN, UNKNOWN, columns


def column(counts: dict[str, int], name: str) -> tuple[float, bool]:
    """The value of a count, and whether it is unknown."""
    row = columns([counts])[0]
    at = COUNTS.index(name)
    return float(row[at]), bool(row[len(COUNTS) + at])


def test_there_are_two_columns_for_each_count() -> None:
    assert columns([{}, {}]).shape == (2, COLUMNS)
    assert columns([]).shape == (0, COLUMNS)
    assert columns([{}]).dtype == np.float32


def test_before_anything_was_counted_all_is_unknown() -> None:
    row = columns([{}])[0]

    assert not row[: len(COUNTS)].any()
    assert row[len(COUNTS) :].all()


def test_a_count_that_is_missing_beside_others_is_none_and_known() -> None:
    assert column({TAKEN: EDITION, "links away": 3}, "hosts new here") == (0.0, False)


def test_unknown_is_not_none() -> None:
    assert column({TAKEN: EDITION, "seconds to write": UNKNOWN}, "seconds to write") == (0.0, True)
    assert column({TAKEN: EDITION, "seconds to write": 0}, "seconds to write") == (0.0, False)


@pytest.mark.parametrize(("edition", "is_unknown"), [(0, True), (1, True), (2, False)])
def test_a_count_is_unknown_of_a_time_before_it_was_taken(edition: int, is_unknown: bool) -> None:
    assert column({TAKEN: edition}, "links to this page") == (0.0, is_unknown)


def test_the_first_counts_say_most() -> None:
    one, two, ten, most, more = (
        column({TAKEN: EDITION, "links away": count}, "links away")[0]
        for count in (1, 2, 10, 1000, 1_000_000)
    )

    assert one == pytest.approx(0.1, abs=0.01)
    assert one < two < ten < most == more == 1
    assert two - one > (most - ten) / 990


def test_names_that_are_no_counts_change_nothing() -> None:
    np.testing.assert_array_equal(
        columns([{TAKEN: EDITION, "moon phase": 3}]), columns([{TAKEN: EDITION}])
    )


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([TAKEN, *COUNTS]), st.integers(-5, 10**9))))
def test_every_value_is_between_none_and_all(contexts: list[dict[str, int]]) -> None:
    values = columns(contexts)

    assert values.shape == (len(contexts), COLUMNS)
    assert ((values >= 0) & (values <= 1)).all()
