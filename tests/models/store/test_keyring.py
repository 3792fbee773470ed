"""No process works with keys that are not the database's, wherever the keys come from."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import event, select, text, update

from models.records import Comment, Keyring
from models.settings import settings
from models.store.database import begin, engine, reading
from models.store.keyring import require_keys
from models.store.secrets import (
    Secrets,
    UnknownKey,
    WrongKeys,
    as_json,
    decrypt_email,
    encrypt_email,
    forget_secrets,
    generated,
    key_of,
    seal,
    secrets,
    with_current_key_only,
    with_new_email_key,
)
from service.commands.main import main
from service.operations import doctor, rotation
from tests.caller import Caller, Client, client_of, post, posted, screen_all
from tests.greenroom import GREENROOM, running

Bring = Callable[[Secrets], None]
COMMANDS = (
    "serve",
    "worker",
    "prepare",
    "key create --site demo --scope read",
    "moderator add ann@example.org --site demo --role viewer",
    "moderator invite ann@example.org --site demo --role viewer",
    "site list",
    "backup out.zip",
    "keys rotate-email",
    "publish --all",
    "secrets check",
)


def again(**environment: str) -> None:
    """Continue as a process that starts now."""
    os.environ.update(environment)
    settings.cache_clear()
    forget_secrets()


def keyring() -> Keyring | None:
    with reading() as session:
        return session.get(Keyring, 1)


def emails() -> list[bytes]:
    with reading() as session:
        return [
            email for email in session.scalars(select(Comment.email).order_by(Comment.id)) if email
        ]


@pytest.fixture
def client(data: Path, app: Flask) -> Client:
    """A client without the keys that other tests start with: these tests make or provide keys."""
    return client_of(app)


@pytest.fixture(params=["GREENROOM_SECRETS", "GREENROOM_SECRETS_FILE"])
def bring(
    request: pytest.FixtureRequest, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bring:
    """Provide keys to a process that starts now, as an operator does."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def give(kept: Secrets) -> None:
        (folder / "keys.json").write_text(as_json(kept))
        by_file = request.param == "GREENROOM_SECRETS_FILE"
        monkeypatch.setenv(request.param, str(folder / "keys.json") if by_file else as_json(kept))
        again()

    return give


# Missing and wrong keys.


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_keys_beside_a_filled_database_are_never_replaced(
    client: Client, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    posted(client)
    monkeypatch.chdir(tmp_path)
    (data / "secrets.json").unlink()
    again()
    run = CliRunner().invoke(main, command.split())
    assert run.exit_code == 1
    assert run.stderr.count("\n") == 1
    assert f"there is no {data}/secrets.json" in run.stderr
    assert "backup" in run.stderr
    assert not (data / "secrets.json").exists()


def test_a_migration_needs_no_keys_and_says_that_they_are_missing(
    client: Client, data: Path
) -> None:
    posted(client)
    (data / "secrets.json").unlink()
    again()
    run = CliRunner().invoke(main, ["migrate"])
    assert run.exit_code == 0
    assert (
        f"Warning: The keys of this database are missing: there is no {data}/secrets.json"
        in run.stderr
    )
    assert not (data / "secrets.json").exists()


def test_a_database_with_unused_keys_does_not_get_others(
    data: Path,
) -> None:
    """Another process may be using them."""
    require_keys()
    (data / "secrets.json").unlink()
    again()
    with pytest.raises(WrongKeys, match="missing"):
        require_keys()


def test_a_filled_database_of_an_earlier_release_is_not_given_others(
    client: Client, data: Path
) -> None:
    posted(client)
    _of_an_earlier_release()
    (data / "secrets.json").unlink()
    again()
    with pytest.raises(WrongKeys, match="missing"):
        secrets()


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "empty": (lambda kept: "", "it is empty"),
    "cut off": (lambda kept: json.dumps(kept)[:40], "it is not JSON"),
    "not JSON": (lambda kept: "root: x", "it is not JSON"),
    "a list": (lambda kept: [kept], "its keys"),
    "null": (lambda kept: "null", "its keys"),
    "no root": (lambda kept: kept.pop("root") and kept, "it lacks root"),
    "no keys": (lambda kept: kept.pop("email_keys") and kept, "it lacks email_keys"),
    "a short root": (lambda kept: kept | {"root": "x"}, "root must have at least"),
    "a short key": (
        lambda kept: kept | {"email_keys": {"1": "AAAA"}},
        "must be 32 bytes in base64",
    ),
    "not base64": (lambda kept: kept | {"email_keys": {"1": "?"}}, "must be 32 bytes in base64"),
    "a key that is no text": (lambda kept: kept | {"email_keys": {"1": 5}}, "email_keys"),
    "another current key": (lambda kept: kept | {"email_key": "2"}, "email_keys does not have"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_keys_are_explained_in_one_sentence_that_names_the_file_and_no_key(
    data: Path, damage: str
) -> None:
    kept = secrets()
    change, words = DAMAGES[damage]
    changed = change(kept.model_dump())
    (data / "secrets.json").write_text(changed if isinstance(changed, str) else json.dumps(changed))
    again()
    run = CliRunner().invoke(main, ["site", "list"])
    assert run.exit_code == 1
    assert run.stderr.count("\n") == 1
    assert str(data / "secrets.json") in run.stderr
    assert words in run.stderr
    for secret in (kept.root, *kept.email_keys.values()):
        assert secret[:20] not in run.stderr


def test_unreadable_keys_are_reported_with_their_file(data: Path) -> None:
    (data / "secrets.json").mkdir()  # Docker makes a folder of a file to mount that does not exist
    run = CliRunner().invoke(main, ["site", "list"])
    assert run.exit_code == 1
    assert f"Can't read the keys in {data}/secrets.json" in run.stderr


def test_keys_of_another_installation_are_refused(client: Client, bring: Bring) -> None:
    posted(client)
    bring(generated())
    run = CliRunner().invoke(main, ["key", "create", "--site", "demo", "--scope", "read"])
    assert run.exit_code == 1
    assert "do not belong to this database" in run.stderr


def test_a_key_that_rows_name_and_the_keys_lack_is_refused(client: Client, bring: Bring) -> None:
    posted(client)
    kept = with_new_email_key(secrets())
    bring(with_current_key_only(kept))
    with pytest.raises(WrongKeys, match="lacks the key '1'"):
        require_keys()


def test_a_key_that_only_rows_name_is_refused(client: Client) -> None:
    posted(client)
    with begin() as session:
        session.execute(update(Comment).values(email=b"9\0nonsense"))
    again()
    with pytest.raises(WrongKeys, match="lacks the key '9'"):
        require_keys()


def test_another_key_under_a_known_id_is_refused(client: Client, bring: Bring) -> None:
    """Two processes without a shared file would each make a key “2”."""
    posted(client)
    kept = secrets()
    bring(with_new_email_key(kept))
    require_keys()
    bring(with_new_email_key(kept))
    with pytest.raises(WrongKeys, match="Key '2' in"):
        require_keys()


def test_a_running_process_with_wrong_keys_accepts_nothing(client: Client, bring: Bring) -> None:
    posted(client)
    bring(generated())
    answer = post(client, body="Another")
    assert answer.status_code == 503
    assert "not set up correctly" in answer.json["detail"]
    assert len(emails()) == 1


def test_keys_that_others_can_read_are_warned_of(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets()
    (data / "secrets.json").chmod(0o644)
    again()
    run = CliRunner().invoke(main, ["prepare"])
    assert run.exit_code == 0, run.stderr
    assert (
        f"Warning: Others can read the keys in {data}/secrets.json (mode 0644): make it 0600."
        in run.stderr
    )
    (data / "secrets.json").chmod(0o600)
    assert "Warning" not in CliRunner().invoke(main, ["prepare"]).stderr


def test_keys_that_are_asked_for_late_in_a_transaction_do_not_wait_for_it(data: Path) -> None:
    with begin():
        encrypt_email("ann@example.org")
        seal("webhook secrets", b"x")
    require_keys()
    assert keyring() is not None


def test_a_folder_that_cannot_be_written_is_reported(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path / "file"))
    again()
    run = CliRunner().invoke(main, ["site", "list"])
    assert run.exit_code == 1
    assert f"Can't write the keys to {tmp_path}/file/secrets.json" in run.stderr
    assert "greenroom secrets generate" in run.stderr


# The fingerprint.


def test_the_fingerprint_holds_no_key(data: Path) -> None:
    require_keys()
    row = keyring()
    assert row is not None
    told = json.dumps([row.root, row.email_keys])
    for secret in (secrets().root, *secrets().email_keys.values()):
        assert secret not in told


def test_an_earlier_release_is_upgraded_without_action(client: Client) -> None:
    posted(client)
    _of_an_earlier_release()
    require_keys()
    assert keyring() is not None


def test_an_earlier_release_with_wrong_keys_beside_it_is_refused(
    client: Client, bring: Bring
) -> None:
    posted(client)
    _of_an_earlier_release()
    bring(generated())
    with pytest.raises(WrongKeys, match="can't decrypt this database"):
        require_keys()
    assert keyring() is None


def _of_an_earlier_release() -> None:
    with begin() as session:
        session.execute(text("DELETE FROM keyring"))
    again()


def test_of_pods_that_share_the_database_alone_one_makes_keys_and_the_other_refuses(
    database_url: str, tmp_path: Path
) -> None:
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")
    }
    pods = [
        subprocess.Popen(
            [*GREENROOM, "prepare"],
            env=variables
            | {
                "GREENROOM_DATA": str(tmp_path / f"{number}"),
                "GREENROOM_DATABASE_URL": database_url,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    told = [pod.communicate(timeout=60)[1] for pod in pods]
    assert sorted(pod.returncode for pod in pods) == [0, 1], told
    assert (
        "The keys of this database are missing" in told[[pod.returncode for pod in pods].index(1)]
    )
    assert len(list(tmp_path.glob("*/secrets.json"))) == 1


@contextmanager
def _statements() -> Iterator[list[str]]:
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine(), "before_cursor_execute", note)


def test_to_accept_asks_for_the_fingerprint_once_a_process(client: Client) -> None:
    again()
    with _statements() as first:
        posted(client)
    with _statements() as later:
        posted(client, body="Another")
    assert any("keyring" in statement for statement in first)
    assert not any("keyring" in statement for statement in later)


# Keys that change while the service runs.


def test_a_process_keeps_its_keys_when_the_file_disappears_and_reads_it_when_it_is_back(
    client: Client, data: Path
) -> None:
    posted(client)
    kept = (data / "secrets.json").read_bytes()
    (data / "secrets.json").unlink()
    posted(client, body="While the keys are away")
    (data / "secrets.json").write_bytes(b"{")
    posted(client, body="While they are damaged")
    (data / "secrets.json").write_bytes(kept)
    again()
    require_keys()
    assert {decrypt_email(email) for email in emails()} == {"ann@example.org"}


def test_a_mounted_secret_is_followed_as_kubernetes_replaces_it(
    client: Client, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is a symbolic link through `..data`, whose target changes to another folder."""
    mount = tmp_path / "mount"
    kept = generated()
    newer = with_new_email_key(kept)
    for name, content in (("..1", kept), ("..2", newer)):
        (mount / name).mkdir(parents=True)
        (mount / name / "keys.json").write_text(as_json(content))
    (mount / "..data").symlink_to("..1")
    (mount / "keys.json").symlink_to("..data/keys.json")
    monkeypatch.setenv("GREENROOM_SECRETS_FILE", str(mount / "keys.json"))
    again()
    posted(client)
    (mount / "..new").symlink_to("..2")
    (mount / "..new").replace(mount / "..data")
    posted(client, body="After the replacement")
    assert [key_of(email) for email in emails()] == ["1", "2"]
    assert not (data / "secrets.json").exists()


def test_keys_that_the_operator_brings_are_rotated(
    client: Client, bring: Bring, data: Path
) -> None:
    old = generated()
    bring(old)
    posted(client)
    both = with_new_email_key(old)
    bring(both)
    posted(client, body="With the new key")
    done = rotation.rotate_email(patience=0)
    assert (done.key, done.moved, done.retired, done.to_remove) == ("2", 1, ["1"], ["1"])
    bring(with_current_key_only(both))
    require_keys()
    assert {decrypt_email(email) for email in emails()} == {"ann@example.org"}
    bring(old)
    with pytest.raises(WrongKeys, match="lacks the key '2'"):
        require_keys()
    assert not (data / "secrets.json").exists()


@pytest.mark.parametrize(("minutes", "status"), [(0, "pending"), (40, "flagged")])
def test_a_worker_with_the_old_keys_leaves_a_comment_to_the_others_for_a_time(
    client: Client, bring: Bring, minutes: int, status: str
) -> None:
    old = generated()
    bring(old)
    require_keys()
    bring(with_new_email_key(old))
    newer = posted(client, body="From a process with the new keys")
    bring(old)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        screen_all()
    with reading() as session:
        comment = session.get_one(Comment, newer)
        assert (comment.status, comment.screening_by) == (status, None)
    bring(with_new_email_key(old))
    screen_all()


def test_a_process_with_the_old_keys_says_which_key_it_lacks(client: Client, bring: Bring) -> None:
    old = generated()
    bring(old)
    require_keys()
    bring(with_new_email_key(old))
    posted(client, body="From a process with the new keys")
    sealed = emails()[0]
    bring(old)
    with pytest.raises(UnknownKey, match="encrypted with key '2'"):
        decrypt_email(sealed)


def test_generated_keys_are_good_ones_and_checked(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = CliRunner().invoke(main, ["secrets", "generate"])
    again(GREENROOM_SECRETS=made.stdout)
    try:
        require_keys()
        checked = CliRunner().invoke(main, ["secrets", "check"])
        assert checked.exit_code == 0, checked.stderr
        assert "The keys in GREENROOM_SECRETS belong to this database" in checked.stdout
        more = CliRunner().invoke(main, ["secrets", "add-key"])
        assert json.loads(more.stdout)["email_key"] == "2"
    finally:
        del os.environ["GREENROOM_SECRETS"]


def test_two_sources_at_once_are_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SECRETS_FILE", str(data / "keys.json"))
    monkeypatch.setenv("GREENROOM_SECRETS", as_json(generated()))
    again()
    with pytest.raises(WrongKeys, match="both set"):
        require_keys()


# Lost keys.


def test_with_keys_that_are_lost_for_good_a_new_start_keeps_the_comments(
    client: Client, moderator: Caller, data: Path
) -> None:
    id_ = posted(client)
    assert (
        CliRunner().invoke(main, ["secrets", "replace-lost", "--yes"]).exit_code == 1
    )  # nothing is lost
    hook = {"url": "https://paper.example/hook", "events": ["comment.approved"]}
    hook_id = moderator.call("POST", "/webhooks", json=hook).json["id"]
    (data / "secrets.json").write_text("{")
    again()
    assert CliRunner().invoke(main, ["secrets", "replace-lost"]).exit_code == 2
    run = CliRunner().invoke(main, ["secrets", "replace-lost", "--yes"])
    assert run.exit_code == 0, run.stderr
    assert "Deleted: 1 addresses, 0 second factors, 1 webhook secrets" in run.stderr
    assert [path.read_text() for path in data.glob("secrets.json.lost-*")] == ["{"]
    again()
    require_keys()
    posted(client, body="Another")
    assert moderator.record(id_)["email"] is None
    assert moderator.call("GET", f"/webhooks/{hook_id}").json["enabled"] is False
    assert moderator.call("POST", f"/webhooks/{hook_id}/rotate").status_code == 200
    assert doctor.examine().counts.keys() <= {"screened in time"}


def test_the_doctor_names_keys_that_are_missing(client: Client, data: Path) -> None:
    posted(client)
    (data / "secrets.json").unlink()
    again()
    run = CliRunner().invoke(main, ["doctor"])
    assert run.exit_code == 1
    assert f"there is no {data}/secrets.json" in run.stdout


# Everything on one machine.


def test_up_works_with_keys_from_the_environment_and_refuses_without(tmp_path: Path) -> None:
    brought = generated().model_copy(update={"redis_password": ""})
    with running(tmp_path / "var", GREENROOM_SECRETS=as_json(brought)) as up:
        assert not (up.data / "secrets.json").exists()
        assert up.key().startswith("gr_")
    with running(tmp_path / "var", ready=False) as up:
        assert up.process.wait(60) == 1
        assert f"there is no {up.data}/secrets.json" in up.output
        assert "Traceback" not in up.output
        assert not (up.data / "secrets.json").exists()
