"""The address that the web process listens on, and the message if it cannot."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from models.settings import settings
from service.http import listening
from service.http.listening import PortTaken, any_port, near_address, public_url, until_free
from tests.greenroom import PATIENCE

HOST = "127.0.0.1"


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        settings.cache_clear()

    change("GREENROOM_PORT", "8123")
    yield change
    settings.cache_clear()


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as server:
        yield server


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:8123"),
        ("0.0.0.0", "127.0.0.1:8123"),
        ("::", "[::1]:8123"),
        ("::1", "[::1]:8123"),
        ("2001:db8::7", "[2001:db8::7]:8123"),
        ("greenroom.example", "greenroom.example:8123"),
    ],
)
def test_the_service_is_reached_from_this_machine(
    set_env: Callable[[str, str], None], host: str, address: str
) -> None:
    set_env("GREENROOM_HOST", host)
    assert near_address() == address


def test_the_owners_url_is_the_public_one(set_env: Callable[[str, str], None]) -> None:
    set_env("GREENROOM_HOST", HOST)
    assert public_url() == "http://127.0.0.1:8123"
    set_env("GREENROOM_PUBLIC_URL", "https://talk.example")
    assert public_url() == "https://talk.example"


def test_any_port_is_one_that_can_be_listened_on() -> None:
    port = any_port(HOST)
    until_free(HOST, port)
    with socket.create_server((HOST, port)):
        pass


def test_a_port_that_is_taken_is_named(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(PortTaken, match=f"Port {port} on {HOST} is already in use: choose another"):
        until_free(HOST, port)


def test_a_port_that_becomes_free_is_waited_for(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    threading.Timer(0.05, taken.close).start()
    until_free(HOST, port, PATIENCE)


def test_an_address_of_another_machine_is_explained() -> None:
    with pytest.raises(PortTaken, match=r"^Can't listen on 192\.0\.2\.7, port 8000: .+\.$"):
        until_free("192.0.2.7", 8000, PATIENCE)  # waiting would not help


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EACCES, "no"), "This user may not use port 80"),
        (OSError(errno.EADDRINUSE, "no"), "Port 80 on web.example is already in use"),
        (OSError(errno.ENETDOWN, "no"), "Can't listen on web.example, port 80: Network is down."),
        (socket.gaierror(-2, "Name or service not known"), "80: Name or service not known."),
    ],
)
def test_each_failure_has_its_words(error: OSError, words: str) -> None:
    assert words in listening._words("web.example", 80, error)
