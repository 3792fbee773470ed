"""Comments that another worker began and did not finish are screened alone. Only one that fails
alone, twice, is poison.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from models.records import Comment
from models.store.database import begin, now, reading
from tests.caller import Caller, Client, posted, screen_all
from tests.greenroom import until
from tests.processes import descendants, still_running
from worker.screening import batches, careful, isolation, screening
from worker.screening.batches import SILENT, take
from worker.sweep import sweep

# These tests are about processes, each of which imports everything for screening. Their statements
# are the same as in the tests that run on both databases.
on_one_database = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SOON, LATER = timedelta(seconds=1), SILENT + timedelta(seconds=1)


def begun(comments: list[str], since: datetime, by: str = "elsewhere:1", alone: int = 0) -> None:
    """Comments as a worker leaves them that was killed during their batch."""
    values = {"screening_by": by, "screening_since": since, "screenings_alone": alone}
    with begin() as session:
        session.execute(update(Comment).where(Comment.id.in_(comments)).values(values))


def alone(comment: str) -> int:
    with reading() as session:
        return session.execute(
            select(Comment.screenings_alone).where(Comment.id == comment)
        ).scalar_one()


def taken(comments: list[str]) -> tuple[list[str], list[str]]:
    batch = take(comments)
    return [each.id for each in batch.ready], batch.suspects


@pytest.fixture
def poisonous(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_POISON", "1")  # in the started processes, not in this one


def test_a_comment_that_another_worker_may_be_screening_is_left_to_it_for_a_while(
    client: Client,
) -> None:
    new, fresh, old = (
        posted(client, body=f"The ferry was late {number} times.") for number in range(3)
    )
    begun([fresh], now() - SOON)
    begun([old], now() - LATER)
    assert taken([new, fresh, old]) == ([new], [old])
    assert taken([new, fresh, old]) == ([new], [old])  # this process may take again what it took


def test_a_comment_that_is_not_due_is_not_taken(client: Client) -> None:
    comment = posted(client)
    screen_all()
    assert taken([comment]) == ([], [])


def test_only_this_hosts_comments_are_finished_at_a_start(client: Client) -> None:
    ours, others, done, mine = (
        posted(client, body=f"The ferry was late {number} times.") for number in range(4)
    )
    begun([ours, done], now(), by=f"{batches._host()}:an earlier process")
    begun([others], now())
    take([mine])
    screening._screen_here([done], alone=False)
    assert batches.unfinished() == [ours]


def test_an_innocent_comment_of_a_batch_that_did_not_finish_is_judged_like_any(
    client: Client, moderator: Caller
) -> None:
    comments = [posted(client, body=f"The ferry was late {number} times.") for number in range(3)]
    begun(comments, now() - LATER)
    settled = screening.screen_now(comments)
    assert {each.comment_id for each in settled} == set(comments)
    for comment in comments:
        assert {item["check"] for item in moderator.record(comment)["evidence"]} >= {
            "spam",
            "links",
        }
        assert alone(comment) == 0


def test_a_comment_that_fails_alone_twice_goes_to_a_human_and_is_never_screened_again(
    client: Client, moderator: Caller, poisonous: None
) -> None:
    poison, neighbour = posted(client, body="poison: exit *now*"), posted(client)
    begun([poison, neighbour], now() - LATER)
    settled = screening.screen_now([poison, neighbour])  # the other comment comes first
    assert [each.comment_id for each in settled] == [
        neighbour,
        poison,
    ]
    found = moderator.record(poison)
    assert found["status"] == "flagged"
    assert (
        "the process that checked it ended with exit status 70 (2 attempts)"
        in found["decisions"][0]["reasons"][0]
    )
    assert [review["cause"] for review in found["reviews"]] == ["flagged"]
    assert found["html"] == "<p>poison: exit *now*</p>"  # rendering may be what fails
    with time_machine.travel(now() + timedelta(days=1)):
        sweep()
    assert taken([poison]) == ([], [])
    assert len(moderator.record(poison)["decisions"]) == 1
    moderator.decide(poison, "approve")  # a human may still decide
    assert moderator.record(poison)["status"] == "approved"


@on_one_database
def test_a_worker_that_is_killed_does_not_make_an_innocent_comment_poison(
    client: Client, moderator: Caller, poisonous: None
) -> None:
    """ "poison: sleep" waits, as for a slow database: its screener is killed from outside, together
    with its worker.
    """
    comment = posted(client, body="poison: sleep")
    for _ in range(3):
        begun([comment], now() - LATER)
        program = f"from worker.screening.screening import screen_now; screen_now([{comment!r}])"
        worker = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        until(lambda: alone(comment) == 1, 30)
        family = descendants(worker.pid)
        worker.kill()
        worker.wait()
        until(lambda family=family: not still_running(family))  # type: ignore[misc]
        assert alone(comment) == 0
    assert moderator.record(comment)["status"] == "pending"


@on_one_database
def test_a_lost_isolator_is_no_comments_fault(
    client: Client, moderator: Caller, poisonous: None
) -> None:
    comment = posted(client, body="poison: sleep")
    begun([comment], now() - LATER)
    thread = threading.Thread(target=screening.screen_now, args=[[comment]])
    thread.start()
    until(lambda: alone(comment) == 1, 30)
    for process in descendants(os.getpid()):
        if "worker.screening.isolated" in process.cmdline():
            process.send_signal(signal.SIGKILL)
    thread.join(30)
    assert not thread.is_alive()
    assert moderator.record(comment)["status"] == "pending"


def test_a_comment_that_takes_the_whole_machine_down_is_not_tried_forever(
    client: Client, moderator: Caller
) -> None:
    comment = posted(client)
    begun([comment], now() - LATER, alone=isolation.MOST_UNSEEN)
    screening.screen_now([comment])
    assert "did not finish (3 attempts)" in moderator.record(comment)["decisions"][0]["reasons"][0]


@on_one_database
def test_a_careful_worker_screens_in_isolation(client: Client, moderator: Caller) -> None:
    """In a separate program, because it forks and this process has threads."""
    old, one, two, three = (
        posted(client, body=f"The ferry was late {number} times.") for number in range(4)
    )
    begun([old], now(), by=f"{batches._host()}:an earlier process")
    program = f"""
from worker.screening import careful, screening
screening.warm()
screening.finish_what_the_last_began()
screening._screen_here = None  # not here
counts = len(screening.screen_now([{one!r}, {two!r}])), len(screening.screen_now([{three!r}]))
careful.end_carefulness()
assert careful.careful() is None
print(*counts)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "2 1"
    for comment in (one, two, three):
        assert moderator.record(comment)["status"] != "pending"


def test_a_worker_that_begins_after_a_clean_end_is_not_careful(client: Client) -> None:
    posted(client)
    screening.finish_what_the_last_began()
    assert careful.careful() is None
    assert not [each for each in descendants(os.getpid()) if "isolated" in str(each.cmdline())]
