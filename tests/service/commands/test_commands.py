"""The `greenroom` command, as people type it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from argon2 import Type, extract_parameters
from click.testing import CliRunner

from models.settings import settings
from service.commands.main import main
from tests.conftest import forget
from tests.greenroom import GREENROOM


class Done(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def greenroom(*words: str, data: Path, typed: str = "", **variables: str) -> Done:
    """Run a command in this process: most of a process of its own is spent on importing."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _environment(data, variables).items():
            patch.setenv(name, value)
        settings.cache_clear()
        forget()
        try:
            done = CliRunner().invoke(main, words, input=typed)
        finally:
            forget()
    settings.cache_clear()
    return Done(done.exit_code, done.stdout, done.stderr)


def greenroom_process(*words: str, data: Path, **variables: str) -> Done:
    """Run a command as a shell does."""
    others = {name: each for name, each in os.environ.items() if not name.startswith("GREENROOM_")}
    done = subprocess.run(
        [*GREENROOM, *words],
        env=others | _environment(data, variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _environment(data: Path, variables: dict[str, str]) -> dict[str, str]:
    return {"GREENROOM_DATA": str(data)} | variables


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that is ready, and the site `paper`."""
    folder = tmp_path_factory.mktemp("cli") / "var"
    assert greenroom("migrate", data=folder).returncode == 0
    assert (
        greenroom(
            "site", "add", "paper", "--origin", "https://paper.example", data=folder
        ).returncode
        == 0
    )
    return folder


def refused(done: Done) -> str:
    """Return the one line that a mistake gets."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = greenroom_process("--help", data=tmp_path).stdout
    for command in ("up", "serve", "worker", "migrate", "site", "moderator", "key"):
        assert re.search(rf"^  {command} ", shown, re.MULTILINE)
    assert "prepare" not in shown


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = greenroom_process("--help", data=tmp_path, PYTHONPROFILEIMPORTTIME="1").stderr
    assert not re.search(r"\b(sqlalchemy|flask|celery|sklearn|pydantic)\b", loaded)


def test_without_a_database_the_command_names_migrate_and_makes_none(tmp_path: Path) -> None:
    for command in (
        ["key", "create", "--site", "demo", "--scope", "read"],
        ["keys", "rotate-email"],
        ["restore", __file__],
        ["serve"],
        ["worker"],
    ):
        words = refused(greenroom(*command, data=tmp_path))
        assert "start `greenroom up` or run `greenroom migrate` first" in words
    assert not list(tmp_path.iterdir())


def test_only_the_key_is_on_standard_output(data: Path) -> None:
    done = greenroom("key", "create", "--site", "paper", "--scope", "moderate", data=data)
    assert re.fullmatch(r"gr_\S+\n", done.stdout)
    assert done.stderr == ""


def test_a_key_is_listed_rotated_and_revoked_by_its_id(data: Path) -> None:
    made = greenroom(
        "key", "create", "--site", "paper", "--scope", "read", "--scope", "post",
        "--name", "CMS", "--expires", "90d", data=data,
    )  # fmt: skip
    assert re.fullmatch(r"gr_\S+\n", made.stdout)

    def listed(*options: str) -> list[str]:
        lines = greenroom("key", "list", "--site", "paper", *options, data=data).stdout
        return [line for line in lines.splitlines() if "“CMS”" in line]

    (line,) = listed()
    assert "read,post" in line
    first = line.split()[0]
    rotated = greenroom("key", "rotate", first, "--overlap", "2", data=data)
    assert re.fullmatch(r"gr_\S+\n", rotated.stdout)
    assert len(listed()) == 2
    assert greenroom("key", "revoke", first, data=data).stdout == ""
    assert first not in "".join(listed())
    assert [line.split()[0] for line in listed("--all")][1] == first
    assert "no longer works" in refused(greenroom("key", "rotate", first, data=data))
    assert "no key with the id" in refused(greenroom("key", "revoke", "nonsense", data=data))


def test_a_key_for_metrics_belongs_to_no_site(data: Path) -> None:
    assert greenroom("key", "create", "--scope", "metrics", data=data).stdout.startswith("gr_")
    assert "all sites" in greenroom("key", "list", data=data).stdout
    for wrong in (["--scope", "read"], ["--site", "paper", "--scope", "metrics"]):
        assert greenroom("key", "create", *wrong, data=data).returncode == 2


def test_a_key_for_an_unknown_site_is_refused_with_an_explanation(data: Path) -> None:
    assert "'nowhere'" in refused(
        greenroom("key", "create", "--site", "nowhere", "--scope", "read", data=data)
    )


def test_sites_are_listed_with_their_origins(data: Path) -> None:
    added = greenroom(
        "site",
        "add",
        "blog",
        "--origin",
        "https://a.example",
        "--origin",
        "http://b.example",
        data=data,
    )
    assert added.returncode == 0
    listed = greenroom("site", "list", data=data).stdout
    assert "paper  https://paper.example\n" in listed
    assert re.search(r"^blog  .*https://a\.example", listed, re.MULTILINE)
    assert re.search(r"^blog  .*http://b\.example", listed, re.MULTILINE)


def test_a_site_has_the_language_it_was_added_with_and_one_without_words_is_refused(
    data: Path,
) -> None:
    new = ("site", "add", "zeitung", "--origin", "https://zeitung.example", "--language")
    assert "'tlh': choose one of ar, de, en, es" in refused(greenroom(*new, "tlh", data=data))
    assert greenroom(*new, "de", data=data).returncode == 0
    with closing(sqlite3.connect(data / "greenroom.db")) as database:
        assert database.execute("SELECT locale FROM sites WHERE key = 'zeitung'").fetchone() == (
            "de",
        )


def test_a_sites_origins_and_language_are_set_separately_and_wrong_ones_are_explained(
    data: Path,
) -> None:
    def site() -> tuple[str, str]:
        with closing(sqlite3.connect(data / "greenroom.db")) as database:
            found: tuple[str, str] = database.execute(
                "SELECT origins, locale FROM sites WHERE key = 'moved'"
            ).fetchone()
            return found

    assert (
        greenroom("site", "add", "moved", "--origin", "https://old.example", data=data).returncode
        == 0
    )
    assert greenroom("site", "set", "moved", "--language", "ar", data=data).returncode == 0
    assert site() == ('["https://old.example"]', "ar")
    both = ("--origin", "https://New.example/", "--origin", "https://www.new.example")
    assert greenroom("site", "set", "moved", *both, data=data).returncode == 0
    assert site() == ('["https://new.example","https://www.new.example"]', "ar")
    for words, said in {
        ("moved",): "Nothing to change",
        ("moved", "--origin", "new.example"): "is not a valid origin: give scheme and host",
        ("moved", "--language", "tlh"): "no translation for the language 'tlh'",
        ("nowhere", "--language", "de"): "There is no site 'nowhere'",
    }.items():
        assert said in refused(greenroom("site", "set", *words, data=data))
    assert site() == ('["https://new.example","https://www.new.example"]', "ar")


def test_a_site_that_exists_is_refused_with_an_explanation(data: Path) -> None:
    assert "'paper'" in refused(
        greenroom("site", "add", "paper", "--origin", "https://x.example", data=data)
    )


def test_a_moderator_gets_a_one_time_password(data: Path) -> None:
    words = ("moderator", "add", "ann@example.org", "--site", "paper", "--role", "moderator")
    assert re.fullmatch(
        r"One-time password, shown only once: \S{10,}\n", greenroom(*words, data=data).stdout
    )


def test_an_existing_account_keeps_its_password_and_the_command_says_so(data: Path) -> None:
    words = ("moderator", "add", "cleo@example.org", "--site", "paper", "--role")
    greenroom(*words, "viewer", data=data)
    again = greenroom(*words, "owner", data=data)
    assert again.stdout == (
        "cleo@example.org already has an account and keeps its password. Role on paper: owner.\n"
    )


def test_a_password_on_standard_input_is_taken_and_not_shown(data: Path) -> None:
    words = (
        "moderator",
        "add",
        "bob@example.org",
        "--site",
        "paper",
        "--role",
        "viewer",
        "--password-stdin",
    )
    done = greenroom(*words, data=data, typed="correct horse battery\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "No password" in refused(greenroom(*words, data=data))


def test_a_password_is_kept_so_that_guessing_is_dear(data: Path) -> None:
    """The other tests hash almost for free: see `tests/conftest.py`."""
    greenroom_process(
        "moderator", "add", "dora@example.org", "--site", "paper", "--role", "viewer", data=data
    )
    with closing(sqlite3.connect(data / "greenroom.db")) as database:
        [(kept,)] = database.execute(
            "SELECT password_hash FROM moderators WHERE email = 'dora@example.org'"
        )
    cost = extract_parameters(kept)
    assert (cost.type, cost.memory_cost, cost.time_cost) == (Type.ID, 64 * 1024, 3)


def test_a_folder_that_cannot_be_used_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "can't be used (not a directory)" in refused(
        greenroom_process("up", data=tmp_path / "file" / "var")
    )
    assert "Not a directory: " in refused(
        greenroom_process("migrate", data=tmp_path / "file" / "var")
    )


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "greenroom.db")) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    for words in (["migrate"], ["site", "list"]):
        assert "comes from a newer release" in refused(greenroom(*words, data=tmp_path))


@pytest.mark.parametrize("setting", ["GREENROOM_SPAM_MODEL", "GREENROOM_ABUSE_MODEL"])
def test_a_missing_model_is_noticed_before_comments_are_flagged_for_it(
    tmp_path: Path, setting: str
) -> None:
    missing = {setting: "/none.npz"}
    words = refused(greenroom_process("up", data=tmp_path, GREENROOM_PORT="0", **missing))
    assert f"/none.npz is missing: correct or unset {setting}" in words


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    assert "GREENROOM_PORT: " in refused(
        greenroom_process("up", data=tmp_path, GREENROOM_PORT="eighty")
    )


def test_a_database_that_is_down_is_reported_in_one_line(tmp_path: Path) -> None:
    away = greenroom("migrate", data=tmp_path, GREENROOM_DATABASE_URL="postgres://127.0.0.1:1/none")
    assert "The database can't be reached: " in refused(away)
