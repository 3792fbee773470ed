"""Moderators who work only the queue do not teach the models to hold what is not in it."""

from __future__ import annotations

import pytest

from bench import queue_only
from bench.queue_only import MOST_EXTRA, extra, simulate


@pytest.mark.usefixtures("data")
def test_a_site_that_decides_only_its_queue_holds_no_more_good_comments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_only, "UNSEEN", 300)
    site = simulate(200, seed=1)

    found = extra(site, count=1500)

    assert site.went_live  # otherwise this would prove nothing
    assert {each.language for each in found} == {"de", "en", "pt"}
    assert all(each.more <= MOST_EXTRA for each in found), found
