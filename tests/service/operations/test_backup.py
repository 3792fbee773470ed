"""A backup, restored into an empty Greenroom with either database, gives the same Greenroom."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from models.records import AddressKey, Comment, Heartbeat, Site
from models.store import storage
from models.store.database import begin, engine, now, reading
from models.store.secrets import decrypt_email, secrets, secrets_path
from service.app import create_app
from service.commands.main import main
from service.operations import Refused, doctor
from service.operations.backup import LEFT_OUT, backup, tables
from service.operations.publishing import every_thread, publish
from service.operations.restore import restore
from tests.caller import Caller, Client, client_of, posted, publish_all, screen_all

Ids = dict[str, str]
Move = Callable[[], Path]
into_sqlite = pytest.mark.parametrize(
    "move", ["sqlite"], indirect=True
)  # both databases, where that makes a difference
PUBLISHED_ANEW = {"published_revision", "publish_due", "lease", "lease_until"}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return all stored rows, except for what is due again for a thread after a restore."""
    with engine().connect() as connection:
        return {
            table.name: [
                {name: value for name, value in row._mapping.items() if name not in PUBLISHED_ANEW}
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in tables()
        }


def emails() -> set[str]:
    with reading() as session:
        return {decrypt_email(email) for email in session.scalars(select(Comment.email)) if email}


def shown() -> dict[str, Any]:
    """Return what readers see."""
    names = sorted(name for name in storage.names("demo/"))
    return {
        name: json.loads(found.content)
        for name in names
        if name.endswith("json") and (found := storage.get(name))
    }


def test_a_backup_restored_into_either_database_is_the_same_and_works(
    lived_in: Ids, moderator: Caller, move: Move, tmp_path: Path
) -> None:
    file = tmp_path / "greenroom.backup"
    before, addresses, pages = rows(), emails(), shown()
    manifest = backup(file, with_secrets=True)
    assert manifest.tables["comments"].rows == len(before["comments"]) == len(lived_in)

    move()
    restore(file)
    assert rows() == before
    assert emails() == addresses
    assert publish(list(every_thread())) == []
    assert shown() == pages
    assert doctor.examine().found == []

    client = client_of(create_app())
    there = Caller(client, moderator.key)  # keys and counters continue where they were
    new = posted(client, body="A comment of the time after", thread="/a-new-thread")
    there.decide(new, "approve")
    screen_all()
    publish_all()
    assert [comment["id"] for comment in there.page("/a-new-thread")["comments"]] == [new]
    assert there.undo(lived_in["rejected"]).status_code in {200, 201}
    publish_all()
    assert doctor.examine().found == []


@into_sqlite
def test_the_commands_do_it_and_say_what_is_left_to_do(
    lived_in: Ids, move: Move, tmp_path: Path
) -> None:
    file, kept = tmp_path / "greenroom.backup", secrets_path().read_bytes()
    made = CliRunner().invoke(main, ["backup", str(file)])
    assert made.exit_code == 0, made.stderr
    assert f"{len(lived_in)} comments in {file}" in made.stderr
    assert "Keep secrets.json too" in made.stderr
    folder = move()
    (folder / "secrets.json").write_bytes(kept)
    done = CliRunner().invoke(main, ["restore", str(file)])
    assert done.exit_code == 0, done.stderr
    assert "greenroom publish --all" in done.stderr
    assert CliRunner().invoke(main, ["publish", "--all"]).exit_code == 0
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


@into_sqlite
def test_a_backup_shows_one_moment_while_the_service_runs(
    lived_in: Ids, client: Client, moderator: Caller, move: Move, tmp_path: Path
) -> None:
    before, came = rows(), []

    def meanwhile(table: str, *_: int) -> None:
        if table in {"sites", "comments"}:
            came.append(posted(client, body=f"Posted while {table} were written"))
            moderator.decide(came[-1], "approve")

    backup(tmp_path / "b", with_secrets=True, step=meanwhile)
    assert len(came) == 2
    move()
    restore(tmp_path / "b")
    assert rows() == before


def test_only_the_owner_reads_the_backup_and_it_has_keys_only_on_request(
    lived_in: Ids, tmp_path: Path
) -> None:
    file = tmp_path / "b"
    backup(file, with_secrets=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob("*.part")) == []
    with zipfile.ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
        assert not {f"{name}.jsonl" for name in LEFT_OUT} & set(archive.namelist())
    kept = secrets()
    for secret in (kept.root, kept.redis_password, *kept.email_keys.values(), "ann@example.org"):
        assert secret.encode() not in content


@into_sqlite
def test_short_lived_data_is_left_out(lived_in: Ids, move: Move, tmp_path: Path) -> None:
    """The keys of readers' address hashes must be gone after a day, also from backups."""
    with begin() as session:
        session.add(Heartbeat(name="worker@here", at=now()))
        assert session.scalars(select(AddressKey)).first()
    backup(tmp_path / "b", with_secrets=True)
    move()
    restore(tmp_path / "b")
    with reading() as session:
        assert (
            session.scalars(select(AddressKey)).all()
            == session.scalars(select(Heartbeat)).all()
            == []
        )


@into_sqlite
def test_without_the_keys_of_its_time_it_is_refused(
    lived_in: Ids, move: Move, tmp_path: Path
) -> None:
    backup(tmp_path / "b", with_secrets=False)
    move()
    with pytest.raises(Refused, match=r"put the secrets\.json from that time into"):
        restore(tmp_path / "b")
    secrets()  # another installation's
    with pytest.raises(Refused, match="do not belong to this backup"):
        restore(tmp_path / "b")
    assert_nothing_restored()


def test_a_database_with_something_in_it_is_not_filled(lived_in: Ids, tmp_path: Path) -> None:
    backup(tmp_path / "b", with_secrets=True)
    before = rows()
    with pytest.raises(Refused, match="not empty"):
        restore(tmp_path / "b")
    assert rows() == before


@into_sqlite
def test_a_backup_of_another_schema_is_refused(lived_in: Ids, move: Move, tmp_path: Path) -> None:
    backup(tmp_path / "b", with_secrets=True)
    rewrite(
        tmp_path / "b",
        "manifest.json",
        lambda manifest: manifest.replace(b'"revision": "', b'"revision": "0'),
    )
    move()
    with pytest.raises(Refused, match="Restore it with the release that made it"):
        restore(tmp_path / "b")
    with engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(Refused, match="greenroom migrate"):
        restore(tmp_path / "b")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a word changed": lambda lines: lines.replace(b"approved", b"rejected", 1),
    "the last row lost": lambda lines: lines[: lines.rstrip().rindex(b"\n") + 1],
    "not rows at all": lambda lines: b"nonsense\n",
}


@into_sqlite
def test_a_damaged_backup_restores_nothing(lived_in: Ids, move: Move, tmp_path: Path) -> None:
    for number, damage in enumerate(DAMAGES.values()):
        backup(tmp_path / f"{number}", with_secrets=True)
        rewrite(tmp_path / f"{number}", "comments.jsonl", damage)
    move()
    for number in range(len(DAMAGES)):
        with pytest.raises(Refused, match="damaged"):
            restore(tmp_path / f"{number}")
        assert_nothing_restored()


def test_an_existing_file_is_overwritten_only_on_request(lived_in: Ids, tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text("the only good backup")
    run = CliRunner().invoke(main, ["backup", str(file)])
    assert run.exit_code == 1
    assert "already exists" in run.stderr
    assert file.read_text() == "the only good backup"
    assert list(tmp_path.glob("*.part")) == []
    assert CliRunner().invoke(main, ["backup", "--replace", str(file)]).exit_code == 0
    assert zipfile.is_zipfile(file)


def test_any_other_file_is_no_backup(data: Path, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"Dear diary")
    run = CliRunner().invoke(main, ["restore", str(tmp_path / "b")])
    assert run.exit_code == 1
    assert "not a Greenroom backup" in run.stderr


def rewrite(file: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change one member of the archive."""
    with zipfile.ZipFile(file) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    changed = change(members[name])
    assert changed != members[name]
    with zipfile.ZipFile(file, "w") as archive:
        for each, content in (members | {name: changed}).items():
            archive.writestr(each, content)


def assert_nothing_restored() -> None:
    with reading() as session:
        assert (
            session.scalars(select(Comment.id)).all()
            == session.scalars(select(Site.id)).all()
            == []
        )
