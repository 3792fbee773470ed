"""Where a person is signed in, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.records import ConsoleSession, Moderator
from models.store.database import begin, reading
from service.http.problems import Problem
from service.people import accounts, console_sessions, tickets

ANN = "ann@paper.example"
PASSWORD, OTHER_PASSWORD = "correct horse battery", "another horse battery staple"
HERE, ELSEWHERE, NOWHERE = {"here"}, {"elsewhere"}, set[str]()


@pytest.fixture
def ann(data: object) -> Moderator:
    accounts.add_moderator(ANN, "demo", "owner", PASSWORD)
    with reading() as session:
        return session.scalars(select(Moderator)).one()


def reset() -> None:
    assert tickets.use(tickets.reset(ANN, by="x").rpartition("/")[2], OTHER_PASSWORD)


@pytest.mark.parametrize(
    ("happens", "alive"),
    [
        (lambda ann, here: None, HERE | ELSEWHERE),
        (
            lambda ann, here: accounts.change_password(ann, OTHER_PASSWORD, session_hash=here),
            HERE,
        ),
        (lambda ann, here: accounts.change_password(ann, OTHER_PASSWORD), NOWHERE),
        (lambda ann, here: reset(), NOWHERE),
        (lambda ann, here: accounts.add_moderator(ANN, "demo", "owner", OTHER_PASSWORD), NOWHERE),
        (lambda ann, here: accounts.add_moderator(ANN, "demo", "viewer"), HERE | ELSEWHERE),
        (console_sessions.end_others, HERE),
        (lambda ann, here: console_sessions.end(ann, here[:32]), ELSEWHERE),
        (lambda ann, here: console_sessions.end_hash(here), ELSEWHERE),
    ],
)
def test_a_session_ends_when_it_should(
    ann: Moderator, happens: Callable[[str, str], object], alive: set[str]
) -> None:
    hashes = {
        name: console_sessions.hash_of(console_sessions.start(ann, ""))
        for name in ("here", "elsewhere")
    }
    happens(ann.id, hashes["here"])
    with reading() as session:
        left = set(session.scalars(select(ConsoleSession.hash)))
    assert {name for name, hash_ in hashes.items() if hash_ in left} == alive


def test_a_password_that_changes_during_a_sign_in_opens_no_session(
    ann: Moderator,
) -> None:
    accounts.change_password(ann.id, OTHER_PASSWORD)
    with pytest.raises(Problem, match="has changed"):
        console_sessions.start(ann, "")


def test_the_cookie_is_not_in_the_database(ann: Moderator) -> None:
    cookie = console_sessions.start(ann, "curl/8 (X11; Linux)")
    with begin() as session:
        row = session.scalars(select(ConsoleSession)).one()
        assert cookie not in f"{row.hash}{row.device}"
        assert row.device == "A browser on Linux"
