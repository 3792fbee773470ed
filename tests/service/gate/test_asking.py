"""The gate gets a WSGI application's whole answer; an error becomes a 500 without details."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from service.gate.asking import BROKEN, Answer, Environ, ask

Start = Callable[..., Any]


def test_status_headers_and_body_are_read_completely() -> None:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("207 Multi-Status", [("A", "1"), ("A", "2")])
        return [b"one ", b"", b"two"]

    assert ask(app, {}, b"") == Answer(207, [("A", "1"), ("A", "2")], b"one two")


def test_the_application_reads_the_body() -> None:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return [environ["wsgi.input"].read().upper()]

    assert ask(app, {}, b"a body").body == b"A BODY"


def test_an_application_that_begins_late_is_waited_for() -> None:
    """A generator runs, and so calls start_response, only when it is read."""

    def app(environ: Environ, start: Start) -> Iterator[bytes]:
        start("201 Created", [])
        yield b"late"

    assert ask(app, {}, b"") == Answer(201, [], b"late")


def test_the_last_call_of_start_response_counts() -> None:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        start("500 Oops", [("A", "1")], (None, None, None))
        return [b""]

    assert ask(app, {}, b"").status == 500


class Pieces:
    """An answer's body that must be closed, and may fail."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks, self.closed = breaks, 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"a piece"
        if self.breaks:
            raise RuntimeError

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("breaks", [False, True])
def test_a_body_is_closed_whether_it_broke_or_not(breaks: bool) -> None:
    pieces = Pieces(breaks=breaks)

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return pieces

    answer = ask(app, {}, b"")
    assert pieces.closed == 1
    assert answer == (BROKEN if breaks else Answer(200, [], b"a piece"))


def _raises(environ: Environ, start: Start) -> Iterable[bytes]:
    raise ValueError("what Ann wrote")


def _never_begins(environ: Environ, start: Start) -> Iterable[bytes]:
    return [b"what Ann wrote"]


def _begins_badly(environ: Environ, start: Start) -> Iterable[bytes]:
    start("what", [])
    return [b"what Ann wrote"]


@pytest.mark.parametrize("app", [_raises, _never_begins, _begins_badly])
def test_a_failure_is_a_500_that_quotes_no_text(
    app: Callable[[Environ, Start], Iterable[bytes]],
) -> None:
    answer = ask(app, {}, b"")
    assert answer == BROKEN
    assert (answer.status, b"Ann" in answer.body) == (500, False)
