"""Which comments are in the blind sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.identifiers import new_id
from models.settling.sampling import is_sampled

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
IDS = [new_id() for _ in range(4000)]
MANY = 1_000_000


def sampled(share: float, decided: int = MANY) -> set[str]:
    return {id_ for id_ in IDS if is_sampled(id_, share, decided)}


def test_about_that_share_is_sampled(data: Path) -> None:
    assert 300 <= len(sampled(0.1)) <= 500  # 400 ± 5 standard deviations


def test_a_comment_is_always_in_the_sample_or_never(data: Path) -> None:
    assert sampled(0.1) == sampled(0.1)


def test_a_larger_share_keeps_those_of_a_smaller_one(data: Path) -> None:
    assert sampled(0.01) < sampled(0.1) < sampled(0.5)


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (-1.0, 0), (1.0, len(IDS))])
def test_a_share_of_0_or_1_samples_none_or_all(data: Path, share: float, count: int) -> None:
    assert len(sampled(share)) == count


def test_none_is_sampled_before_there_would_be_one_on_average(data: Path) -> None:
    assert sampled(0.01, decided=98) == set()
    assert sampled(0.01, decided=99) == sampled(0.01)
