"""The event log: a program that follows its cursor misses nothing, however many write at once."""

from __future__ import annotations

import random
import threading

from sqlalchemy import insert, select

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.records import Comment, Site, Thread
from models.settling.actor import Actor
from models.settling.changes import Change
from models.settling.settling import settle
from models.store.database import begin, now
from tests.caller import Caller

WRITERS, TRANSACTIONS = 4, 25


def test_no_event_ever_appears_behind_a_cursor_that_was_handed_out(moderator: Caller) -> None:
    comments = [_comments(number) for number in range(WRITERS)]
    done = threading.Event()
    followed: list[str] = []

    def follow() -> None:
        cursor, is_last = "0.0", False
        while not is_last:
            is_last = done.is_set()
            page = moderator.call("GET", f"/events?after={cursor}&limit=7").json
            assert page is not None
            followed.extend(event["id"] for event in page["events"])
            is_last = is_last and not page["events"]
            cursor = page["next"]

    follower = threading.Thread(target=follow)
    writers = [
        threading.Thread(target=_write, args=(ids, number)) for number, ids in enumerate(comments)
    ]
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join()
    assert followed == [event["id"] for event in moderator.events()]
    assert len(followed) == len(set(followed)) > WRITERS * TRANSACTIONS


def _comments(number: int) -> list[str]:
    ids = [new_id() for _ in range(5)]
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        thread = Thread(site_id=site, key=f"/{number}")
        session.add(thread)
        session.flush()
        shared = {
            "site_id": site,
            "thread_id": thread.id,
            "name": "Ann",
            "body": "Words",
            "at": now(),
        }
        session.execute(insert(Comment), [{"id": id_, "top_id": id_, **shared} for id_ in ids])
    return ids


def _write(ids: list[str], number: int) -> None:
    """Run many small transactions, some with several decisions, each held open for a moment."""
    chance = random.Random(number)
    for turn in range(TRANSACTIONS):
        verdict = (Verdict.APPROVE, Verdict.FLAG, Verdict.REJECT)[turn % 3]
        with begin() as session:
            settle(
                session,
                [
                    Change(id_, verdict, by=Actor.key(new_id()))
                    for id_ in chance.sample(ids, chance.randint(1, 3))
                ],
            )
            threading.Event().wait(chance.random() / 100)
