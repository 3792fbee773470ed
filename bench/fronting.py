"""Compare reading through the front (deploy/front/) with the Flask route: the same bytes, at a
multiple of the rate.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from pathlib import Path
from statistics import median

from bench.load import read_answer
from bench.reading import ROUNDS, SECONDS, Row
from tests.deploy.front import front

PATH = "/v1/sites/demo/comments?thread=/size/1000"
CONNECTIONS = 8


def measure(data: Path, web_port: int) -> list[Row]:
    """Measure with requests like a reader's browser, from a page of the site."""
    origin = f"http://127.0.0.1:{web_port}"  # where `up` has its demo
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {origin}\r\n\r\n".encode()
    with front(data / "published", web_port=web_port) as port:
        is_same = _body(web_port, request) == _body(port, request)
        rates = [(_rate(web_port, request), _rate(port, request)) for _ in range(ROUNDS)]
    flask, fronted = (median(found) for found in zip(*rates, strict=True))
    ratio = median(there / here for here, there in rates)
    figure = f"{fronted:,.0f}/s, Flask {flask:,.0f}/s, {'the same' if is_same else 'OTHER'} bytes"
    return [
        Row(
            "read through the front ÷ the Flask route", figure, ratio, "≥ 5", ratio >= 5 and is_same
        )
    ]


def _body(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return read_answer(connection).partition(b"\r\n\r\n")[2]


def _rate(port: int, request: bytes) -> float:
    """Return answers per second. The client only counts bytes: `bench.load` would be slower than
    nginx.
    """
    context = multiprocessing.get_context("fork")
    counts: multiprocessing.Queue[int] = context.Queue()
    clients = [
        context.Process(target=_ask, args=(port, request, counts)) for _ in range(CONNECTIONS)
    ]
    for client in clients:
        client.start()
    count = sum(counts.get(timeout=SECONDS + 60) for _ in clients)
    for client in clients:
        client.join()
    return count / SECONDS


def _ask(port: int, request: bytes, counts: multiprocessing.Queue[int]) -> None:
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        length = len(read_answer(connection))  # all answers have one length
        buffer = bytearray(length)
        stop = time.monotonic() + SECONDS
        while time.monotonic() < stop:
            connection.sendall(request)
            missing = length
            while missing:
                if (got := connection.recv_into(buffer, missing)) == 0:
                    raise ConnectionError("the server closed the connection")
                missing -= got
            count += 1
    counts.put(count)
