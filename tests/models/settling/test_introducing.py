"""When a thread takes its title and address from a comment."""

from __future__ import annotations

from sqlalchemy import select, update

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.records import Comment, Thread
from models.settling.changes import Change, Screened
from models.store.database import begin, reading
from tests.caller import Client, posted
from tests.models.settling.deciding import ANN, settle_one

PAGE = {"title": "The harbour", "url": "https://paper.example/harbour?utm_source=x"}


def from_page(client: Client, **page: str) -> str:
    comment = posted(client)
    with begin() as session:
        session.execute(update(Comment).values(page=page or PAGE))
    return comment


def named() -> tuple[str | None, str | None]:
    with reading() as session:
        thread = session.scalars(select(Thread)).one()
    return thread.title, thread.url


def page_check(outcome: Outcome, **counts: int) -> Screened:
    found = Evidence(check="page", outcome=outcome, detail="", counts=counts)
    return Screened(1, [found], 1, "en")


def test_the_first_approved_comment_names_the_thread(client: Client) -> None:
    comment = from_page(client)
    settle_one(Change(comment, Verdict.FLAG, by=ANN))
    assert named() == (None, None)
    settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert named() == ("The harbour", "https://paper.example/harbour")


def test_a_thread_keeps_its_name(client: Client) -> None:
    settle_one(Change(from_page(client), Verdict.APPROVE, by=ANN))
    second = posted(client, body="It was on time today.")
    with begin() as session:
        session.execute(update(Comment).values(page={"title": "Cheap pills"}))
    settle_one(Change(second, Verdict.APPROVE, by=ANN))
    assert named() == ("The harbour", "https://paper.example/harbour")


def test_a_title_that_the_check_refused_is_not_taken(client: Client) -> None:
    screened = page_check(Outcome.FOUND, title=1)
    settle_one(Change(from_page(client), Verdict.APPROVE, screened=screened))
    assert named() == (None, "https://paper.example/harbour")


def test_a_moderator_approves_a_comment_but_not_the_title_that_was_refused(
    client: Client,
) -> None:
    comment = from_page(client)
    settle_one(Change(comment, Verdict.FLAG, screened=page_check(Outcome.FOUND, title=1)))
    settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert named() == (None, "https://paper.example/harbour")


def test_nothing_is_taken_if_the_check_could_not_run(client: Client) -> None:
    screened = page_check(Outcome.UNAVAILABLE)
    settle_one(Change(from_page(client), Verdict.APPROVE, screened=screened))
    assert named() == (None, None)


def test_a_title_that_a_moderator_set_or_removed_is_final(client: Client) -> None:
    comment = from_page(client)
    with begin() as session:
        session.execute(update(Thread).values(title_is_final=True, url_is_final=True))
    settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert named() == (None, None)
