"""`greenroom keys rotate-email`: every address gets a new key, including those that arrive
meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from models.records import Comment, Mail, Notice, Proof, Reader
from models.store.database import begin, now, reading
from models.store.secrets import (
    decrypt_email,
    encrypt_email,
    from_source,
    key_of,
    replace_secrets,
    reread,
    with_new_email_key,
)
from service.commands.main import main
from service.operations import Refused, doctor, rotation
from tests.caller import Caller, Client, posted

Ids = dict[str, str]


def sealed() -> dict[str, bytes]:
    with reading() as session:
        return {
            row.id: row.email
            for row in session.execute(select(Comment.id, Comment.email))
            if row.email
        }


def test_every_address_is_encrypted_again_and_the_old_key_is_gone(lived_in: Ids) -> None:
    before = sealed()
    done = rotation.rotate_email(patience=0)
    after = sealed()
    assert (done.moved, done.retired) == (len(before), ["1"])
    assert {key_of(email) for email in after.values()} == {done.key} == set(reread().email_keys)
    assert {id_: decrypt_email(email) for id_, email in after.items()}.keys() == before.keys()
    assert "ann@example.org" not in str(after)
    assert doctor.examine().found == []


def test_the_addresses_of_readers_mails_confirmations_and_notices_move_too(lived_in: Ids) -> None:
    address = encrypt_email("reader@example.org")
    with begin() as session:
        session.add(Reader(site_id=1, kind="proven", subject="r", email=address))
        session.add(Mail(site_id=1, kind="confirm", due=now(), address=address))
        hashes = {"address_index": "", "secret_hash": "s", "code_hash": "c"}
        session.add(Proof(site_id=1, address=address, expires_at=now(), **hashes))
        comment = next(iter(lived_in.values()))
        about = {"category": "VIOLENCE", "explanation": "x", "due_at": now()}
        session.add(Notice(site_id=1, comment_id=comment, contact=address, **about))
    done = rotation.rotate_email(patience=0)
    with reading() as session:
        for column in (Reader.email, Mail.address, Proof.address, Notice.contact):
            moved = session.scalars(select(column)).one()
            assert moved is not None
            assert key_of(moved) == done.key
            assert decrypt_email(moved) == "reader@example.org"


def test_a_comment_that_arrives_during_the_rotation_can_be_decrypted_afterwards(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encrypted with the old key just before, and committed only now: the second round finds it."""
    posted(client)
    early = encrypt_email("early@example.org")
    late: list[str] = []

    def meanwhile(_: float) -> None:
        late.append(posted(client, body="Another", email="late@example.org"))
        with begin() as session:
            session.execute(update(Comment).where(Comment.id == late[0]).values(email=early))

    monkeypatch.setattr(rotation, "time", SimpleNamespace(sleep=meanwhile))
    assert rotation.rotate_email().moved == 2
    assert moderator.record(late[0])["email"] == "early@example.org"


def test_interrupted_it_is_gone_on_with(lived_in: Ids) -> None:
    replace_secrets(with_new_email_key(from_source()))  # and then the machine stopped
    key = reread().email_key
    done = rotation.rotate_email(patience=0)
    assert (done.key, done.retired) == (key, ["1"])
    assert doctor.examine().found == []


def test_an_author_erased_meanwhile_stays_erased(lived_in: Ids) -> None:
    id_, was = next(iter(sealed().items()))
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == id_).values(email=None))
    rotation._move(rotation.COMMENTS, [(id_, was)])
    assert id_ not in sealed()


def test_an_unreadable_address_prevents_retiring_a_key(lived_in: Ids) -> None:
    with begin() as session:
        session.execute(
            update(Comment).where(Comment.id == lived_in["approved"]).values(email=b"9\0nonsense")
        )
    with pytest.raises(Refused, match="No key was retired"):
        rotation.rotate_email(patience=0)
    assert "1" in reread().email_keys


def test_only_one_at_a_time(data: Path) -> None:
    with rotation._alone(), pytest.raises(Refused, match="Another rotation is running"):
        rotation.rotate_email(patience=0)


def test_the_command_prints_how_many(lived_in: Ids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "time", SimpleNamespace(sleep=lambda _: None))
    run = CliRunner().invoke(main, ["keys", "rotate-email"])
    assert run.exit_code == 0, run.stderr
    assert f"{len(sealed())} addresses are now encrypted with key 2. Retired keys: 1." in run.stderr
