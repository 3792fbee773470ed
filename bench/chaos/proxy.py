"""A small TCP proxy in front of the broker that can turn into a black hole."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Self


@dataclass(eq=False)
class _Link:
    near: socket.socket
    far: socket.socket | None = None
    is_stranded: bool = False

    def close(self) -> None:
        for end in (self.near, self.far):
            if end:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


class Proxy:
    """Forwards every byte, or none: `hole()` holds all bytes back until `mend()`, and `strand()`
    drops them forever.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._flowing = threading.Event()
        self._flowing.set()
        self._links: set[_Link] = set()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.mend(drop=True)

    def hole(self) -> None:
        """Accept connections and never answer, like a firewall that drops packets."""
        self._flowing.clear()

    def mend(self, *, drop: bool = False) -> None:
        """Let all bytes flow again; with `drop`, after resetting every connection."""
        for link in list(self._links) if drop else []:
            link.close()
        self._flowing.set()

    def strand(self) -> int:
        """Keep the existing connections open but dead forever, while new ones work. Return how many
        there were.
        """
        links = list(self._links)
        for link in links:
            link.is_stranded = True
        return len(links)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(_Link(near),), daemon=True).start()

    def _serve(self, link: _Link) -> None:
        self._links.add(link)
        self._flowing.wait()
        try:
            link.far = socket.create_connection(("127.0.0.1", self._upstream))
            back = threading.Thread(
                target=self._pump, args=(link, link.far, link.near), daemon=True
            )
            back.start()
            self._pump(link, link.near, link.far)
            back.join()
        except OSError:
            link.close()
        finally:
            self._links.discard(link)

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                if not link.is_stranded:
                    sink.sendall(data)
        if not link.is_stranded or source is link.near:
            link.close()
