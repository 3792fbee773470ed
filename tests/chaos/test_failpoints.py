"""A process that dies at the worst moment, right after a commit or right before a message, loses
nothing.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from bench.chaos.told import Told, digest
from bench.chaos.truths import Records, violations
from models import failpoints
from models.failpoints import STATUS
from models.settings import settings
from models.store.database import now
from tests.caller import COMMENT, Caller, Client, posted, publish_all
from tests.fakes.receiver import Receiver
from tests.greenroom import PATIENCE, Running, running, until
from tests.worker.learning.test_training import live, models, quirk, site, taught
from worker.learning.claims import LEASE
from worker.learning.training import learn
from worker.sweep import sweep
from worker.webhooks.sending import deliver_now

KEY = {"Idempotency-Key": "the one and only"}
# A process that has imported what the actions need. The processes that die are forked from it,
# because importing took each of them longer than living.
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["service.app", "worker.tasks", __name__])


def _asking(call: str) -> str:
    """A moderator's program, given as the code after `Caller.`"""
    return f"""
from service.people import accounts
from service.app import create_app
from tests.caller import Caller, client_of
Caller(client_of(create_app()), accounts.create_key("demo", "admin")).{call}
import time; time.sleep(10)  # the bell rings in the background
"""


# The code of the process that dies. Its argument is a comment's id, or the site's if it learns.
ACTS = {
    "post": """
from service.app import create_app
from tests.caller import client_of, post
from tests.chaos.test_failpoints import KEY
post(client_of(create_app()), headers=KEY)
import time; time.sleep(10)  # the bell rings in the background
""",
    "decide": _asking('decide(comment, "approve")'),
    "undo": _asking("undo(comment)"),
    "erase": _asking('call("DELETE", f"/comments/{comment}")'),
    "close": _asking('call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})'),
    "screen": "from worker.tasks import screen; screen([comment])",
    "screen a poisonous one": """
from worker.screening import screening
screening.examine = lambda *_: 1 / 0
screening.screen_and_ring([comment])
""",
    "publish": "from tests.caller import publish_all; publish_all()",
    "sweep": "from worker.sweep import sweep; sweep()",
    "learn": "from worker.learning.training import learn; learn(int(comment))",
    "deliver": "from worker.webhooks.sending import deliver_now; deliver_now([comment])",
    "tidy": "from models.store.database import now; from worker.sweep import tidy; tidy(now())",
}


@dataclass(frozen=True)
class Death:
    """Die at `point` while doing `act`, with a comment that is new, pending or approved."""

    act: str
    point: str
    comment: str

    def __str__(self) -> str:
        return f"{self.act}-{self.point}"


AFTER_A_COMMIT = [
    Death("post", "accepted", comment="new"),
    Death("screen", "settled", comment="pending"),
    Death("decide", "decided", comment="pending"),
    Death("sweep", "swept_comments", comment="pending"),
    Death("sweep", "swept_threads", comment="approved"),
    Death("publish", "claimed", comment="approved"),
    Death("publish", "handed_in", comment="approved"),
]
BY_OTHER_WAYS = [  # the statements are the same, so one database is enough
    Death("screen a poisonous one", "handed_to_a_human", comment="pending"),
    Death("undo", "decided", comment="approved"),
    Death("erase", "decided", comment="approved"),
    Death("close", "thread_changed", comment="approved"),
    Death("sweep", "settled", comment="pending"),  # done here: the broker is silent
    Death("tidy", "tidied", comment="approved"),
]
BEFORE_A_SEND = [
    Death("post", "ring_screen", comment="new"),
    Death("screen", "ring_publish", comment="pending"),
    Death("decide", "ring_publish", comment="pending"),
    Death("undo", "ring_publish", comment="approved"),
    Death("erase", "ring_publish", comment="approved"),
    Death("close", "ring_publish", comment="approved"),
    Death("sweep", "ring_screen", comment="pending"),
    Death("sweep", "ring_publish", comment="approved"),
    Death("publish", "put:1", comment="approved"),
    Death("publish", "put:2", comment="approved"),
    Death("publish", "put:3", comment="approved"),
]
DEATHS = [("sqlite", death) for death in AFTER_A_COMMIT + BY_OTHER_WAYS + BEFORE_A_SEND]
DEATHS += [("postgresql", death) for death in AFTER_A_COMMIT]


@pytest.mark.parametrize(("database_url", "death"), DEATHS, indirect=["database_url"], ids=str)
def test_nothing_is_lost_or_done_twice_by_dying(
    client: Client, moderator: Caller, tmp_path: Path, death: Death
) -> None:
    before = posted(client, body="One that stands there already.")
    moderator.decide(before, "approve")
    publish_all()
    comment = "" if death.comment == "new" else posted(client)
    if death.comment == "approved":
        moderator.decide(comment, "approve")
    die(death, comment)
    with Told(tmp_path / "told.jsonl") as told:
        if death.comment == "new":  # the client had no answer, and posts once more
            answer = client.post("/v1/sites/demo/comments", json=COMMENT, headers=KEY)
            about = {"author": "ann", "thread": COMMENT["thread"], "body": digest(COMMENT["body"])}
            told.note("accepted", id=answer.json["id"], key=KEY["Idempotency-Key"], **about)
    for seconds in (5, 20, 80, 100):  # later than a dead publisher's lease
        with time_machine.travel(now() + timedelta(seconds=seconds)):
            sweep()
    broken = {truth: found for truth, found in violations(Records(told.path)).items() if found}
    assert not broken
    assert before in [shown["id"] for shown in moderator.page()["comments"]]


def die(death: Death, comment: str) -> None:
    environment = {
        **os.environ,
        "GREENROOM_FAILPOINT": death.point,
        "GREENROOM_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody answers the ring, but it was sent
        "GREENROOM_OVERDUE_SECONDS": "0.001",
    }
    process = NURSERY.Process(target=act, args=(death.act, comment, environment))
    process.start()
    process.join(60)
    status = process.exitcode
    process.kill()
    process.join()
    process.close()
    assert status == STATUS


def act(what: str, comment: str, environment: dict[str, str]) -> None:
    """Run the action in a separate process that has only done its imports."""
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    importlib.reload(failpoints)
    exec(ACTS[what], {"comment": comment})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", ["learn_claimed", "learned"])
def test_a_site_learns_once_although_the_training_process_died(
    moderator: Caller, point: str
) -> None:
    taught(moderator, quirk(25))
    die(Death("learn", point, comment=""), str(site().id))
    with time_machine.travel(now() + LEASE + timedelta(seconds=1)):
        learn(site().id)
    assert [record.id for record in models()] == [live()]
    assert (site().learn_due, site().fresh_decisions) == (None, 0)


@pytest.mark.parametrize("point", ["taken", "delivered"])
def test_a_webhook_is_sent_once_more_by_the_next_after_its_sender_died(
    moderator: Caller, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The sender may have sent it before it died. Receivers must expect the same id and bytes
    twice.
    """
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()
    with Receiver() as receiver:
        wanted = {"url": receiver.url, "events": ["comment.approved"]}
        webhook = moderator.call("POST", "/webhooks", json=wanted).json
        assert webhook is not None
        moderator.decide(posted(moderator.client), "approve")
        publish_all()
        die(Death("deliver", point, comment=""), webhook["id"])
        sent_before = len(receiver.got)
        assert sent_before == (1 if point == "delivered" else 0)
        with time_machine.travel(now() + timedelta(seconds=30)):
            deliver_now([webhook["id"]])
        assert len(receiver.got) == sent_before + 1
        assert len({(got.id, got.content) for got in receiver.got}) == 1
        (delivery,) = moderator.call("GET", f"/webhooks/{webhook['id']}/deliveries").json[
            "deliveries"
        ]
        assert (delivery["state"], len(delivery["attempts"])) == ("delivered", 1)


def test_up_restarts_a_dead_worker_and_the_comment_is_published(
    tmp_path: Path, sqlite_template: Path
) -> None:
    alone = {
        "GREENROOM_DNS": "127.0.0.1:1",
        "GREENROOM_RATE_LIMITS": "off",
        "GREENROOM_FAILPOINT": "settled",
    }
    with running(tmp_path / "var", like=sqlite_template, **alone) as up:
        body = json.dumps(COMMENT).encode()
        address = f"{up.url}/v1/sites/demo/comments"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status == 202
        until(lambda: f"worker-screen died with exit status {STATUS}: restarting it" in up.output)
        until(lambda: _count(up, "/harbour") == 1)


def _count(up: Running, thread: str) -> int:
    with urllib.request.urlopen(
        f"{up.url}/v1/sites/demo/comments?thread={thread}", timeout=PATIENCE
    ) as answer:
        return int(json.load(answer)["count"])
