"""Which passwords an account may have."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from service.commands.main import main
from service.people import accounts, passwords


@pytest.mark.parametrize("password", ["", "too short", "ninechars"])
def test_a_short_one_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="at least 10 characters"):
        passwords.check(password, email="")


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",  # among the most common
        "qwertyuiop",
        "Password12345",
        "p@ssw0rd123",
        "passwordpassword",  # one word, repeated
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",  # a sequence
        "encyclopedia",  # one word of the dictionary
        "greenroom1",  # the service's own name
        "ann.lee@paper.example",  # the account's own address
        "1" * 5000,  # judged by its beginning, at once
    ],
)
def test_one_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="guessed first"):
        passwords.check(password, email="ann.lee@paper.example")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "a long sentence of mine",
        "Kj7#qPz!x2",
        "x" * 3 + "Wm4 vine tunnel" * 20,  # longer than 64, as ASVS v5.0.0-6.2.9 asks
        "пароль из слов и моря",
        "🦊🌲🚲🎻🦉 and five words",
    ],
)
def test_any_letters_do_and_nothing_else_is_asked(password: str) -> None:
    passwords.check(password, email="ann.lee@paper.example")


def test_the_3000_most_common_of_ten_letters_and_more_are_refused() -> None:
    """The lists that zxcvbn brings, as they are and with a capital letter."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    common = [
        word
        for name in ("passwords", "english_wikipedia")
        for word in FREQUENCY_LISTS[name]
        if len(word) >= 10
    ]
    assert len(common) >= 3000
    for word in [
        *common[:3000:4],
        *(word.capitalize() for word in common[2:3000:8]),
    ]:  # a part of them: it takes time
        with pytest.raises(ValueError, match="guessed first"):
            passwords.check(word, email="")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_way_in_which_people_set_one_asks(data: object) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse battery")
    moderator = accounts.check_password("ann@paper.example", "correct horse battery")
    assert moderator is not None
    with pytest.raises(ValueError, match="guessed first"):
        accounts.change_password(moderator.id, "ann@paper.example")
    with pytest.raises(ValueError, match="guessed first"):
        accounts.hashed("password123", email="ann@paper.example")
    assert accounts.check_password("ann@paper.example", "correct horse battery")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_operator_is_only_warned_of_an_easy_one(data: object) -> None:
    words = [
        "moderator",
        "add",
        "bob@paper.example",
        "--site",
        "demo",
        "--role",
        "owner",
        "--password-stdin",
    ]
    easy = CliRunner().invoke(main, words, input="password123")
    assert (easy.exit_code, "guessed first" in easy.stderr) == (0, True)
    assert accounts.check_password("bob@paper.example", "password123")
    assert CliRunner().invoke(main, words, input="correct horse battery").stderr == ""


def test_a_web_process_in_which_nobody_sets_one_carries_no_lists() -> None:
    code = "import sys, service.console; print('zxcvbn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
