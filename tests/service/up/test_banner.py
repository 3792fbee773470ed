"""The lines that `greenroom up` prints when everything answers."""

from __future__ import annotations

import pytest

from service.up.banner import banner

URL = "http://127.0.0.1:8000"


def test_it_says_where_to_go_and_how_to_stop() -> None:
    lines = [line.strip() for line in banner(URL).splitlines() if line.strip()]
    assert lines == [
        "● Greenroom is ready",
        f"Demo page   {URL}/demo",
        f"Console     {URL}/console/",
        "Ctrl-C stops everything.",
    ]


def test_the_first_start_shows_the_owner_and_a_password() -> None:
    text = banner(URL, owner=("ann@example.org", "correct-horse"))
    assert "Sign in     ann@example.org\n" in text
    assert "Password    correct-horse  shown only once\n" in text


@pytest.mark.parametrize("password", ["[red]x[/red]", "[/]", ":smile:", "a" * 150])
def test_a_password_is_shown_as_it_is(password: str) -> None:
    """Rich would read brackets as colours and words between colons as emoji."""
    assert f" {password}  shown" in banner(URL, owner=("ann@example.org", password))


@pytest.mark.parametrize(("colours", "escapes"), [(True, True), (False, False)])
def test_colours_are_for_terminals_only(colours: bool, escapes: bool) -> None:
    assert ("\x1b[" in banner(URL, colours=colours)) is escapes


def test_no_line_ends_in_blanks() -> None:
    text = banner(URL, owner=("ann@example.org", "x"))
    assert all(line == line.rstrip() for line in text.split("\n"))
