"""An avatar depends only on the name and the thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models import runtime
from models.avatars import DIGITS, avatar_of
from models.settings import settings
from models.store import secrets


def _begin_in(folder: Path, monkeypatch: pytest.MonkeyPatch, keys: secrets.Secrets) -> None:
    monkeypatch.setenv("GREENROOM_DATA", str(folder))
    settings.cache_clear()
    runtime.replace()
    secrets.keep_secrets(keys)


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: secrets.Secrets) -> Iterator[None]:
    """An installation with keys and without a database."""
    _begin_in(tmp_path, monkeypatch, keys)
    yield
    settings.cache_clear()
    runtime.replace()


@pytest.mark.parametrize(
    "spelling", ["ann lee", "ANN LEE", " Ann Lee ", "Ann   Lee", "Ann\tLee", "Ann\u00a0Lee"]
)
def test_case_and_blanks_make_no_other_avatar(spelling: str) -> None:
    assert avatar_of(spelling, 1) == avatar_of("Ann Lee", 1)


def test_letters_fold_as_their_language_has_them() -> None:
    assert avatar_of("Straße", 1) == avatar_of("STRASSE", 1)


@pytest.mark.parametrize(("name", "thread"), [("Ann Leo", 1), ("AnnLee", 1), ("Ann Lee", 2)])
def test_another_name_or_thread_is_another_avatar(name: str, thread: int) -> None:
    assert avatar_of(name, thread) != avatar_of("Ann Lee", 1)


def test_a_number_at_the_names_start_is_not_the_threads() -> None:
    assert avatar_of("1 Ann", 1) != avatar_of("Ann", 11)


def test_it_is_five_hexadecimal_digits_and_spreads_over_many() -> None:
    made = {avatar_of(f"name {n}", 1) for n in range(200)}
    assert all(len(avatar) == DIGITS and int(avatar, 16) >= 0 for avatar in made)
    assert len(made) >= 195  # two hundred of a million are hardly ever equal


def test_nobody_can_compute_it_without_the_installations_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [avatar_of(f"name {n}", 1) for n in range(5)]
    _begin_in(tmp_path / "another", monkeypatch, secrets.generated())
    assert [avatar_of(f"name {n}", 1) for n in range(5)] != before
