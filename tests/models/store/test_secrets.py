"""The keys of an installation, and the values that they encrypt."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from models.store import keyring
from models.store.secrets import decrypt_email, email_index, encrypt_email, keyed_hash, secrets


def test_the_keys_are_their_owners_alone_to_read(data: Path) -> None:
    secrets()
    assert stat.S_IMODE((data / "secrets.json").stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_the_keys(data: Path) -> None:
    makers = [threading.Thread(target=keyring.make_keys) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    made = (data / "secrets.json").read_bytes()
    keyring.make_keys()
    assert (data / "secrets.json").read_bytes() == made
    assert list(data.glob(".secrets-*")) == []


def test_keys_that_another_process_made_after_the_first_look_are_found(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.make_keys()
    looks = iter([False])  # the first look was before the other process wrote the file
    look = keyring.is_there
    monkeypatch.setattr(keyring, "is_there", lambda: next(looks, None) is not False and look())
    keyring.refuse_missing_keys()


def test_an_address_is_encrypted_differently_each_time_and_can_be_decrypted(data: Path) -> None:
    sealed = encrypt_email("ann@example.org")
    assert sealed != encrypt_email("ann@example.org")
    assert b"ann" not in sealed
    assert decrypt_email(sealed) == "ann@example.org"
    with pytest.raises(InvalidTag):
        decrypt_email(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_an_email_index_ignores_case_and_reveals_nothing(data: Path) -> None:
    assert email_index("Ann@Example.org") == email_index("ann@example.org")
    assert email_index("ann@example.org") != email_index("bob@example.org")


def test_parts_of_a_hash_cannot_run_into_each_other(data: Path) -> None:
    assert keyed_hash("x", "ab", "c") != keyed_hash("x", "a", "bc")
    assert keyed_hash("x", "a") != keyed_hash("y", "a")
