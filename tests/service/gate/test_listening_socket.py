"""The server's socket is found among this process's open files, and no other is touched."""

from __future__ import annotations

import socket

from service.gate.listening_socket import give_up_on_silent_readers

HOST = "127.0.0.1"


def timeout_of(held: socket.socket) -> int:
    """Return for how many milliseconds a reader may read nothing; 0 is the system's default."""
    return held.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_a_listening_socket_hands_the_limit_on_to_its_connections() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert give_up_on_silent_readers(server.getsockname()[1], 2.5)
        assert timeout_of(server) == 2500
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert timeout_of(accepted) == 2500


def test_it_stays_open_and_listens() -> None:
    with socket.create_server((HOST, 0)) as server:
        give_up_on_silent_readers(server.getsockname()[1], 1)
        with socket.create_connection(server.getsockname()), server.accept()[0]:
            pass


def test_a_socket_on_another_port_is_left_alone() -> None:
    with socket.create_server((HOST, 0)) as server, socket.create_server((HOST, 0)) as other:
        assert give_up_on_silent_readers(server.getsockname()[1], 1)
        assert timeout_of(other) == 0


def test_a_connection_to_that_port_is_not_what_listens() -> None:
    with socket.create_server((HOST, 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as reading, server.accept()[0]:
            give_up_on_silent_readers(address[1], 1)
            assert timeout_of(reading) == 0


def test_the_option_can_be_set_only_on_a_listening_socket() -> None:
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        assert not give_up_on_silent_readers(bound.getsockname()[1], 1)
        bound.listen()
        assert give_up_on_silent_readers(bound.getsockname()[1], 1)
