"""A real DNS server on a free port of this machine. It answers from a zone, or misbehaves in three
ways.

    with DnsServer({"test": {"NS": ["ns.test."]}, "paper.test": {"MX": ["10 mail.paper.test."]}}) as dns:
        dns.serve(monkeypatch)  # for this process; `running(…, **dns.environment)` for another
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from socketserver import BaseRequestHandler, ThreadingUDPServer
from typing import Any, Self

import pytest
from dnslib import QTYPE, RCODE, RR, DNSRecord

from models.settings import settings
from tests.greenroom import PATIENCE


class Mode(StrEnum):
    ANSWER = "answer"  # from the zone
    NXDOMAIN = "nxdomain"  # "no such domain" for every name
    SERVFAIL = "servfail"
    SILENCE = "silence"


Zone = Mapping[str, Mapping[str, list[str]] | Mode]


class DnsServer:
    """Names in the zone have no final dot. A mode instead of records makes that one name misbehave.

    Names above one in the zone exist and are empty. `asked` counts the queries by ("paper.test",
    "MX"). The zone and the mode may be changed at any time.
    """

    def __init__(
        self, zone: Zone | None = None, *, mode: Mode = Mode.ANSWER, port: int = 0
    ) -> None:
        self.zone = dict(zone or {})
        self.mode = mode
        self.asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingUDPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make a process use this server, and wait for its answer on a slow machine,
        too.
        """
        return {"GREENROOM_DNS": self.address, "GREENROOM_DNS_SECONDS": str(PATIENCE)}

    def serve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    @property
    def queries(self) -> int:
        return self.asked.total()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, data: bytes) -> bytes | None:
        question = DNSRecord.parse(data)
        name, kind = str(question.q.qname).rstrip(".").lower(), QTYPE[question.q.qtype]
        with self._lock:
            self.asked[name, kind] += 1
        records = self.zone.get(name, {})
        mode = records if isinstance(records, Mode) else self.mode
        if mode is Mode.SILENCE:
            return None
        reply = question.reply()
        if mode is Mode.SERVFAIL:
            reply.header.rcode = RCODE.SERVFAIL
        elif mode is Mode.NXDOMAIN or not self._exists(name):
            reply.header.rcode = RCODE.NXDOMAIN
        elif not isinstance(records, Mode):
            for record in records.get(kind, []):
                reply.add_answer(*RR.fromZone(f"{name}. 60 IN {kind} {record}"))
        return bytes(reply.pack())

    def _exists(self, name: str) -> bool:
        return any(known == name or known.endswith(f".{name}") or not name for known in self.zone)

    def _handler(self) -> type[BaseRequestHandler]:
        dns = self

        class Handler(BaseRequestHandler):
            request: tuple[bytes, Any]

            def handle(self) -> None:
                data, socket = self.request
                if (reply := dns.answer(data)) is not None:
                    socket.sendto(reply, self.client_address)

        return Handler
