"""A process records which comments it begins to screen, so that a batch that ended it can be
found.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Comment
from models.store.database import begin, now, reading
from tests.caller import Client, posted, screen_all
from worker.screening import batches
from worker.screening.batches import SILENT, give_back, name_of, take, unfinished


@pytest.fixture
def comments(client: Client) -> list[str]:
    return [posted(client, body=f"Comment {n}") for n in range(3)]


def note(comment: str, **values: Any) -> None:
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == comment).values(**values))


def noted(comment: str) -> str | None:
    with reading() as session:
        return session.scalars(select(Comment.screening_by).where(Comment.id == comment)).one()


def test_waiting_comments_are_taken_in_the_order_of_their_ids(comments: list[str]) -> None:
    batch = take(comments[::-1])
    assert [waiting.id for waiting in batch.ready] == sorted(comments)
    assert batch.suspects == []
    assert {noted(comment) for comment in comments} == {name_of(os.getpid())}


def test_a_process_takes_again_what_it_took_itself(comments: list[str]) -> None:
    take(comments)
    assert len(take(comments).ready) == 3


def test_unknown_comments_are_left_out(comments: list[str]) -> None:
    assert [waiting.id for waiting in take([comments[0], new_id()]).ready] == [comments[0]]
    assert take([]) == ([], [])


def test_a_screened_comment_is_not_due_any_more(comments: list[str]) -> None:
    screen_all()
    assert take(comments) == ([], [])


@pytest.mark.parametrize(
    ("ago", "is_suspect"),
    [(timedelta(), False), (SILENT - timedelta(seconds=5), False), (SILENT * 2, True)],
)
def test_a_comment_that_another_process_began_is_a_suspect_after_a_long_silence(
    comments: list[str], ago: timedelta, is_suspect: bool
) -> None:
    note(comments[0], screening_by="other:1", screening_since=now() - ago)
    batch = take(comments)
    assert [waiting.id for waiting in batch.ready] == comments[1:]
    assert batch.suspects == ([comments[0]] if is_suspect else [])
    assert noted(comments[0]) == "other:1"


def test_a_comment_that_is_given_back_is_free_for_any_worker(comments: list[str]) -> None:
    take(comments)
    give_back(comments[0])
    assert noted(comments[0]) is None
    assert noted(comments[1]) is not None


def test_only_this_hosts_earlier_processes_left_something_unfinished(
    comments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_host", lambda: "box_1")
    note(comments[0], screening_by="box_1:earlier", screening_since=now())
    note(comments[1], screening_by="boxx1:earlier", screening_since=now())  # no pattern of LIKE
    note(comments[2], screening_by=name_of(os.getpid()), screening_since=now())
    assert unfinished() == [comments[0]]
