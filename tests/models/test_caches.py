"""One call empties the caches of a process."""

from __future__ import annotations

from functools import lru_cache

import pytest
from cachetools import LRUCache

from models import caches
from models.records import Site
from models.store.database import begin
from service.sites import lookup
from tests.caller import Client


def test_forget_empties_every_cache_that_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "_clearing", [])
    kept: LRUCache[str, int] = LRUCache(2)
    doubled = lru_cache(lambda number: 2 * number)
    caches.register(kept.clear)
    caches.register(doubled.cache_clear)
    kept["a"] = doubled(1)
    caches.forget()
    assert (len(kept), doubled.cache_info().currsize) == (0, 0)


def test_a_site_that_was_changed_is_seen_at_once_after_forget(client: Client) -> None:
    before = lookup.find_site("demo")
    with begin() as session:
        session.query(Site).update({"locale": "de"})
    assert lookup.find_site("demo") == before
    caches.forget()
    after = lookup.find_site("demo")
    assert after is not None
    assert after.locale == "de"
