"""Which passwords an account may have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from models.records import Moderator
from models.store.database import reading
from service.commands.main import main
from service.people import accounts, passwords, tickets

OWN = ("ann.lee@paper.example", "harbour-news", "https://comments.harbour.example:8443")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "too short",
        "1234567890",  # among the most common
        "password12",
        "qwertyuiop",
        "Password12345",
        "p@ssw0rd123",
        "sunshine2024",
        "thunderbirds",  # twelve letters, one word of the dictionary
        "passwordpassword",  # one word, repeated
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",  # a sequence
        "greenroom2026",  # the service's own name
        "ann.lee@paper.example",  # the account's own address
        "AnnLee2026!",  # its name
        "lee-ann-1234",
        "harbour-news1",  # its site
        "harbour.example",  # the address of its site
        "1" * 5000,  # judged by its beginning, at once
    ],
)
def test_one_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match=r"too easy to guess\. Use at least 12 characters"):
        passwords.check(password, own=OWN)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "a long sentence of mine",
        "Kj7#qPz!x2",  # shorter than twelve, but nobody guesses it
        "x" * 3 + "Wm4 vine tunnel" * 20,  # longer than 64, as ASVS v5.0.0-6.2.9 asks
        "пароль из слов и моря",
        "🦊🌲🚲🎻🦉 and five words",
    ],
)
def test_any_long_password_is_accepted_without_other_rules(password: str) -> None:
    passwords.check(password, own=OWN)


def test_the_3000_most_common_of_ten_letters_and_more_are_refused() -> None:
    """The lists that zxcvbn contains, unchanged and with a capital letter."""
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
    ]:  # only a part of them, because it takes time
        with pytest.raises(ValueError, match="easy to guess"):
            passwords.check(word, own=())


ANN = "ann@paper.example"


def _use(link: str, password: str) -> bool:
    return tickets.use(link.rpartition("/")[2], password)


def _account() -> str:
    accounts.add_moderator(ANN, "demo", "owner")
    with reading() as session:
        return session.scalars(select(Moderator.id)).one()


def _reset() -> str:
    _account()
    return tickets.reset(ANN, by="x")


def _add_by_command(password: str) -> None:
    words = ["moderator", "add", ANN, "--site", "demo", "--role", "owner", "--password-stdin"]
    done = CliRunner().invoke(main, words, input=password)
    if done.exit_code:
        raise ValueError(done.stderr)


WAYS: dict[str, Callable[[str], object]] = {
    "an invitation": lambda password: _use(tickets.invite(ANN, "demo", "owner", by="x"), password),
    "a reset": lambda password: _use(_reset(), password),
    "a change": lambda password: accounts.change_password(_account(), password),
    "the command": _add_by_command,
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_set_one_asks_the_rule(data: object, way: str) -> None:
    for easy in ("password12", ANN, "demo-demo-demo", "ann paper 2026"):
        with pytest.raises(ValueError, match="easy to guess"):
            WAYS[way](easy)
        assert accounts.check_password(ANN, easy) is None
    long_one = "three lamps in the harbour " * 4
    WAYS[way](long_one)
    assert accounts.check_password(ANN, long_one)


def test_a_web_process_loads_the_password_lists_only_if_needed() -> None:
    code = "import sys, service.console; print('zxcvbn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
