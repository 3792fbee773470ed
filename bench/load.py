"""A small HTTP client for load: persistent raw sockets, a few connections per process, the latency
of each request.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Measured:
    """`rate` is answers per second; `latencies` are seconds, sorted; `wrong` counts answers of
    another status.
    """

    rate: float
    latencies: list[float]
    wrong: int

    def percentile(self, percent: int) -> float:
        return (
            quantiles(self.latencies, n=100)[percent - 1]
            if len(self.latencies) > 1
            else self.latencies[0]
        )


def load(
    port: int,
    request: Callable[[int], bytes],
    *,
    seconds: float,
    connections: int = 8,
    status: int = 200,
    first: int = 0,
) -> Measured:
    """Send requests as fast as answers arrive, over some connections. Each sends `request(n)` with
    its own numbers.
    """
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[tuple[list[float], int]] = context.Queue()
    started = time.monotonic()
    clients = [
        context.Process(
            target=_client,
            args=(port, request, seconds, status, first + number * 10_000_000, results),
        )
        for number in range(connections)
    ]
    for client in clients:
        client.start()
    parts = [results.get(timeout=seconds + 60) for _ in clients]
    for client in clients:
        client.join()
    latencies = sorted(latency for part, _ in parts for latency in part)
    took = min(time.monotonic() - started, seconds)
    return Measured(len(latencies) / took, latencies, sum(wrong for _, wrong in parts))


def _client(
    port: int,
    request: Callable[[int], bytes],
    seconds: float,
    status: int,
    number: int,
    results: multiprocessing.Queue[tuple[list[float], int]],
) -> None:
    latencies, wrong = [], 0
    expected = f" {status} ".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            number += 1
            began = time.monotonic()
            connection.sendall(request(number))
            answer = read_answer(connection)
            latencies.append(time.monotonic() - began)
            wrong += expected not in answer[:16]
    results.put((latencies, wrong))


def read_answer(connection: socket.socket) -> bytes:
    """Read one answer with a Content-Length, head and body."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(262_144)
    if not part:
        raise ConnectionError("the server closed the connection")
    return part


def get(path: str) -> Callable[[int], bytes]:
    content = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return lambda _: content


def post(path: str, body: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def request(number: int) -> bytes:
        content = body(number)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        return head.encode() + f"Content-Length: {len(content)}\r\n\r\n".encode() + content

    return request
