"""The load: authors who post and reply, moderators who decide, readers who read. Each has its own
random seed.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import orjson

from bench.chaos.told import Told, digest
from bench.chaos.truths import MARK
from bench.texts import text

AUTHORS, MODERATORS, READERS = 4, 2, 1
THREADS = 10
PATIENCE_SECONDS = 30.0  # how long an author tries to get one comment accepted
DOMAINS = ["paper.test"] * 8 + ["slow.test", "gone.test"]  # the last does not exist: rejected


class Answer(NamedTuple):
    """`status` 0 means that no answer arrived."""

    status: int
    body: Any


@dataclass
class Load:
    """Runs from entering its block until leaving it. `seen` are published comments with their
    threads.
    """

    port: int
    key: str
    seed: int
    told: Told
    seen: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=200))
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    _ending: threading.Event = field(default_factory=threading.Event)
    _actors: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        for act, count in (
            (self._author, AUTHORS),
            (self._moderator, MODERATORS),
            (self._reader, READERS),
        ):
            for number in range(count):
                self._actors.append(threading.Thread(target=act, args=(number,), daemon=True))
        for actor in self._actors:
            actor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for actor in self._actors:
            actor.join(PATIENCE_SECONDS + 20)
            assert not actor.is_alive(), "an actor of the load did not end"

    def _author(self, which: int) -> None:
        chance, client = random.Random(f"{self.seed} author {which}"), Client(self.port, self.told)
        number, last = which * 1_000_000, None
        while not self._ending.wait(chance.expovariate(5)):
            number += 1
            repeats = last is not None and chance.random() < 0.05
            comment = last if repeats else self._comment(chance, number)
            assert comment is not None
            key = str(UUID(int=chance.getrandbits(128), version=4))
            self._post(client, comment, key)
            if chance.random() < 0.05:
                self._post(client, comment, key)  # like a client that missed the answer
            last = comment

    def _comment(self, chance: random.Random, number: int) -> dict[str, Any]:
        busy = min(chance.randrange(THREADS), chance.randrange(THREADS))
        thread, parent, seen = f"/chaos/{busy}", None, list(self.seen)
        if seen and chance.random() < 0.4:
            parent, thread = chance.choice(seen)
        links = (
            " ".join(f"https://shop{n}.example/buy" for n in range(4))
            if chance.random() < 0.1
            else ""
        )
        email = f"{MARK}-{number}@{chance.choice(DOMAINS)}"
        body = f"{text(number)} {links}".strip()
        return {
            "thread": thread,
            "parent": parent,
            "name": f"Reader {number}",
            "email": email,
            "body": body,
        }

    def _post(self, client: Client, comment: dict[str, Any], key: str) -> None:
        """Try with the same key until there is a final answer."""
        about = {
            "key": key,
            "author": comment["email"],
            "thread": comment["thread"],
            "body": digest(comment["body"]),
        }
        self.told.note("sent", **about)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = client.ask(
                "POST", "/v1/sites/demo/comments", comment, {"Idempotency-Key": key}
            )
            if answer.status == 202:
                self.told.note("accepted", id=answer.body["id"], at=_now(), **about)
                self.recent.append(answer.body["id"])
            if answer.status not in {0, 503}:
                return
            time.sleep(0.3)

    def _moderator(self, which: int) -> None:
        chance, client = (
            random.Random(f"{self.seed} moderator {which}"),
            Client(self.port, self.told),
        )
        bearer = {"Authorization": f"Bearer {self.key}"}
        while not self._ending.wait(chance.expovariate(4)):
            path = self._chosen(chance, client, bearer)
            if path is None:
                continue
            verdict = chance.choice(["approve", "approve", "approve", "reject", "flag", "undo"])
            if verdict == "undo":
                answer = client.ask("POST", f"{path}/undo", {}, bearer)
            else:
                ruling: dict[str, Any] = {"verdict": verdict}
                record = (
                    client.ask("GET", path, None, bearer)
                    if chance.random() < 0.5
                    else Answer(0, None)
                )
                if record.status == 200:
                    ruling["version"] = record.body["version"]
                answer = client.ask("POST", f"{path}/decisions", ruling, bearer)
            if answer.status == 201:
                comment = path.rpartition("/")[2]
                self.told.note(
                    "decided",
                    decision=answer.body["id"],
                    comment=comment,
                    verdict=answer.body["verdict"],
                )

    def _chosen(self, chance: random.Random, client: Client, bearer: dict[str, str]) -> str | None:
        """Choose a comment from the queue, or one of the newest, where another moderator may be at
        work, too.
        """
        ids = list(self.recent)
        if chance.random() < 0.5:
            queue = client.ask("GET", "/v1/sites/demo/queue?limit=20", None, bearer)
            ids = [item["id"] for item in queue.body["items"]] if queue.status == 200 else []
        return f"/v1/sites/demo/comments/{chance.choice(ids)}" if ids else None

    def _reader(self, which: int) -> None:
        chance, client = random.Random(f"{self.seed} reader {which}"), Client(self.port, self.told)
        while not self._ending.wait(0.05):
            thread = f"/chaos/{chance.randrange(THREADS)}"
            page = client.ask("GET", f"/v1/sites/demo/comments?thread={quote(thread)}", None, {})
            if page.status == 200:
                self.seen.extend(
                    (comment["id"], thread)
                    for comment in page.body["comments"][:5]
                    if comment["id"]
                )


class Client:
    """One persistent connection, opened again after a failure. It records answers that were neither
    requested nor expected.
    """

    def __init__(self, port: int, told: Told) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        self._told = told

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        content = None if body is None else orjson.dumps(body)
        try:
            self._connection.request(
                method, path, content, {"Content-Type": "application/json", **headers}
            )
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._told.note("unanswered", path=f"{method} {path}", error=repr(error), at=_now())
            return Answer(0, None)
        if answer.status >= 400:
            self._told.note("answered", status=answer.status, path=f"{method} {path}", at=_now())
        if MARK.encode() in content and "Authorization" not in headers:
            self._told.note("leaked", path=path)
        return Answer(answer.status, orjson.loads(content) if content else None)


def _now() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
