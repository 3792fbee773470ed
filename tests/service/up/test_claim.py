"""One `up` at a time on a data folder, and only after the parts of an earlier one have ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from service.up import claim as claims
from service.up.attention import Attention
from service.up.claim import Claim, Refused


class Impatient:
    """An `Attention` that does not sleep. `at_wait` is called instead."""

    def __init__(self, at_wait: object = None) -> None:
        self.ended = False
        self.waits = 0
        self._at_wait = at_wait

    def wait(self, seconds: float) -> None:
        self.waits += 1
        if callable(self._at_wait):
            self._at_wait(self)


def attention(at_wait: object = None) -> Attention:
    return cast(Attention, Impatient(at_wait))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """The lock of parts that still run."""
    (tmp_path / "run").mkdir()
    lock = os.open(tmp_path / "run" / "parts.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield lock
    os.close(lock)


def close(claim: Claim) -> None:
    for descriptor in (claim.parts, claim._up):
        os.close(descriptor)


def test_a_folder_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    claim = Claim(tmp_path / "new" / "data")
    assert claim.run == tmp_path / "new" / "data" / "run"
    assert claim.run.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in claim.run.iterdir()) == ["parts.lock", "up.lock"]
    assert {path.stat().st_mode & 0o777 for path in claim.run.iterdir()} == {0o600}
    close(claim)


def test_a_second_claim_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first = Claim(tmp_path)
    with pytest.raises(
        Refused, match=r"is already running with the data folder .*: stop it, or choose another"
    ):
        Claim(tmp_path)
    close(first)
    close(Claim(tmp_path))


def test_two_folders_are_two_claims(tmp_path: Path) -> None:
    first, second = Claim(tmp_path / "a"), Claim(tmp_path / "b")
    close(first)
    close(second)


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(Refused, match=r"can't be used \(.*\): choose another with --data\."):
        Claim(tmp_path / "data")


def test_trouble_names_the_folder_and_leaves_nothing_behind(tmp_path: Path) -> None:
    claim = Claim(tmp_path)
    assert claim.trouble() is None
    (claim.run / "up.lock").rename(tmp_path / "up.lock")
    (claim.run / "parts.lock").rename(tmp_path / "parts.lock")
    claim.run.rmdir()
    assert f"the data folder {tmp_path} can't be written" in str(claim.trouble())
    claim.run.mkdir()
    assert claim.trouble() is None
    assert list(claim.run.iterdir()) == []
    close(claim)


def test_without_remaining_parts_nothing_is_awaited(tmp_path: Path) -> None:
    claim, nobody = Claim(tmp_path), Impatient()
    (claim.run / "web.pid").write_text("1234")
    claim.wait(cast(Attention, nobody))
    assert nobody.waits == 0
    assert not list(claim.run.glob("*.pid"))
    close(claim)


def test_parts_of_an_earlier_start_are_waited_for(tmp_path: Path, held: int) -> None:
    claim = Claim(tmp_path)
    claim.wait(attention(lambda _: fcntl.flock(held, fcntl.LOCK_UN)))
    close(claim)


def test_parts_that_stay_are_named_by_their_process_ids(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PATIENCE_SECONDS", -1.0)
    claim = Claim(tmp_path)
    (claim.run / "web.pid").write_text("1234")
    (claim.run / "valkey.pid").write_text("1200")
    with pytest.raises(Refused, match=r"still running \(process ids 1200 1234\)\. Stop them first"):
        claim.wait(attention())
    close(claim)


def test_a_signal_ends_the_waiting(tmp_path: Path, held: int) -> None:
    def end(attention: Impatient) -> None:
        attention.ended = True

    claim = Claim(tmp_path)
    claim.wait(attention(end))
    close(claim)
