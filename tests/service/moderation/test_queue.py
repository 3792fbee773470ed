"""The lists of comments: which comments, in which order, and how a list continues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Comment, Moderator, Passed, Question, Review, Site
from models.store.database import begin, now, reading
from service.moderation.queue import (
    Coverage,
    Place,
    View,
    coverage,
    listed,
    listed_ids,
    newest,
    see,
    unsee,
)
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS

ID = "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"


def site_id(key: str = "demo") -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == key)).one()


def ids_of(view: View, *, limit: int = 100, after: Place | None = None) -> list[str]:
    with reading() as session:
        return [place.id for place in view.places(session, [site_id()], limit=limit, after=after)]


def change(id_: str, **values: object) -> None:
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == id_).values(**values))


@pytest.fixture
def held(client: Client) -> list[str]:
    """Four comments that wait for review, oldest first, in two threads."""
    ids = [
        posted(
            client,
            thread=f"/{number % 2}",
            email=f"reader{number}@example.org",
            body=f"Number {number} of {['one', 'two', 'three', 'four'][number]} {LINKS}",
        )
        for number in range(4)
    ]
    screen_all()
    return ids


@pytest.mark.parametrize(
    "place",
    [Place(0.0, ID), Place(0.25, ID), Place(1_772_366_400.5, ID), Place(1e-9, ID)],
)
def test_a_cursor_is_read_as_the_place_that_wrote_it(place: Place) -> None:
    assert Place.read(str(place)) == place


@pytest.mark.parametrize(
    "text",
    ["", "x", "0.5~", f"x~{ID}", f"nan~{ID}", f"-1~{ID}", f"1e300~{ID}", f"{'1' * 30}~{ID}", "~~"],
)
def test_nothing_else_is_a_cursor(text: str) -> None:
    assert Place.read(text) is None


def test_a_place_in_the_order_of_due_times_contains_the_time() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert Place(at.timestamp(), ID).due == at


def test_the_review_list_is_oldest_first_and_newest_first_on_request(held: list[str]) -> None:
    assert ids_of(View()) == held
    assert ids_of(View(order="newest")) == held[::-1]


@pytest.mark.parametrize("order", ["oldest", "newest", "risk", "due"])
def test_a_list_continues_in_every_order_without_repeats_or_gaps(
    held: list[str], order: str
) -> None:
    view, seen = View(order=order), list[str]()
    whole = ids_of(view)
    after: Place | None = None
    with reading() as session:
        while places := view.places(session, [site_id()], limit=1, after=after):
            seen += [place.id for place in places]
            after = Place.read(str(places[-1]))
    assert seen == whole
    assert set(seen) == set(held)


def test_the_riskiest_come_first(held: list[str]) -> None:
    with begin() as session:
        for risk, id_ in zip((0.2, 0.9, 0.9, 0.4), held, strict=True):
            session.execute(update(Review).where(Review.comment_id == id_).values(risk=risk))
    assert ids_of(View(order="risk")) == [held[2], held[1], held[3], held[0]]


def test_a_comment_with_two_open_reviews_is_listed_once_for_the_one_due_sooner(
    held: list[str],
) -> None:
    with begin() as session:
        first = session.scalars(select(Review).where(Review.comment_id == held[0])).one()
        first.due_at = now() + timedelta(hours=9)
        session.add(
            Review(
                site_id=first.site_id,
                comment_id=held[0],
                cause="reported",
                due_at=now() - timedelta(hours=1),
            )
        )
    assert ids_of(View()) == held
    due = ids_of(View(order="due"))
    assert due.count(held[0]) == 1
    assert due[0] == held[0]


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        (View(words="three"), [2]),
        (View(words="number two"), [1]),
        (View(words="nowhere"), []),
        (View(check="links"), [0, 1, 2, 3]),
        (View(check="email"), []),
        (View(reason="flagged"), [0, 1, 2, 3]),
        (View(reason="reported"), []),
        (View(reason="spam"), []),
        (View(language="xx"), []),
        (View(author="nobody"), []),
    ],
)
def test_filters(held: list[str], filters: View, places: list[int]) -> None:
    assert ids_of(filters) == [held[place] for place in places]
    with reading() as session:
        assert filters.count(session, [site_id()]) == len(places)


def test_an_author_and_a_page_are_filters(held: list[str]) -> None:
    with reading() as session:
        comment = session.get_one(Comment, held[1])
    assert ids_of(View(author=comment.email_index)) == [held[1]]
    assert ids_of(View(thread_id=comment.thread_id)) == [held[1], held[3]]
    both = View(author=comment.email_index, words="three")
    assert ids_of(both) == []


def test_both_ends_of_a_range_of_days_are_included(held: list[str]) -> None:
    today = now().date()
    day = timedelta(days=1)
    assert ids_of(View(since=today, until=today)) == held
    assert ids_of(View(since=today + day)) == []
    assert ids_of(View(until=today - day)) == []


def test_a_comment_that_a_moderator_passed_on_is_not_in_their_own_list(held: list[str]) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "moderator", "correct horse battery")
    with begin() as session:
        moderator = session.scalars(select(Moderator.id)).one()
        session.add(Passed(moderator_id=moderator, comment_id=held[0], at=now()))
    assert ids_of(View(moderator_id=moderator)) == held[1:]
    assert ids_of(View()) == held


def test_a_decided_comment_moves_to_the_list_of_its_status(
    moderator: Caller, held: list[str]
) -> None:
    moderator.decide(held[0], "approve")
    moderator.decide(held[1], "reject", reason="spam")
    assert ids_of(View()) == held[2:]
    assert ids_of(View(tab="approved")) == [held[0]]
    assert ids_of(View(tab="rejected")) == [held[1]]
    assert ids_of(View(tab="rejected", reason="spam")) == [held[1]]
    assert ids_of(View(tab="all")) == held


def test_a_blind_sample_is_listed_with_the_flagged_ones_and_nowhere_else(
    moderator: Caller, held: list[str]
) -> None:
    moderator.decide(held[0], "approve")
    with begin() as session:
        session.add(Review(site_id=site_id(), comment_id=held[0], cause="sampled", blind=True))
    sites = [site_id()]
    with reading() as session:
        flagged = session.scalars(listed("flagged", sites, limit=9)).all()
        approved = session.scalars(listed("approved", sites, limit=9)).all()
        ids = session.scalars(listed_ids("flagged", sites, limit=9)).all()
        latest = session.scalars(newest("approved", sites, limit=9)).all()
    assert [comment.id for comment in flagged] == list(ids) == held
    assert [*approved, *latest] == []
    assert held[0] in ids_of(View())
    for tab in ("approved", "all", "unread"):
        assert held[0] not in ids_of(View(tab=tab))


@pytest.mark.parametrize("read", [listed, newest])
def test_the_api_reads_on_from_a_comment(held: list[str], read: Callable[..., object]) -> None:
    sites = [site_id()]
    with reading() as session:
        if read is listed:
            rows = session.scalars(listed("flagged", sites, limit=2, after=held[0])).all()
            assert [row.id for row in rows] == held[1:3]
        else:
            rows = session.scalars(newest("flagged", sites, limit=2, before=held[3])).all()
            assert [row.id for row in rows] == [held[2], held[1]]


def test_questions_are_in_the_list_of_the_person_asked(held: list[str]) -> None:
    me = View(tab="asked", moderator_id=new_id(), roles={site_id(): "moderator"})
    somebody = f"moderator:{new_id()}"
    with begin() as session:
        for id_, whom in zip(held, ("owner", "moderator", "viewer", somebody), strict=True):
            question = {"comment_id": id_, "whom": whom, "text": "Is it?", "by": somebody}
            session.add(Question(site_id=site_id(), **question))
    assert ids_of(me) == [held[1], held[2]]
    assert ids_of(replace(me, roles={site_id(): "owner"})) == held[:3]


def test_an_answer_is_in_the_list_of_the_person_who_asked_while_the_comment_waits(
    moderator: Caller, held: list[str]
) -> None:
    me = View(tab="asked", moderator_id=new_id(), roles={site_id(): "moderator"})
    with begin() as session:
        for id_ in held[:2]:
            session.add(
                Question(
                    site_id=site_id(),
                    comment_id=id_,
                    whom="owner",
                    text="Is it?",
                    by=f"moderator:{me.moderator_id}",
                    answer="Yes.",
                    answered_by="moderator:x",
                    answered_at=now(),
                )
            )
    moderator.decide(held[0], "approve")
    assert ids_of(me) == [held[1]]


def test_another_sites_comments_are_in_no_list(client: Client, held: list[str]) -> None:
    registering.add_site("other", ["https://other.example"])
    other = site_id("other")
    with reading() as session:
        assert View().places(session, [other], limit=9) == []
        assert View(tab="all", words="number").places(session, [other], limit=9) == []
        both = View().places(session, [other, site_id()], limit=9)
    assert [place.id for place in both] == held


def test_reading_counts_once_and_can_be_taken_back_but_for_decided_comments(
    moderator: Caller, held: list[str]
) -> None:
    for id_ in held:
        change(id_, status="approved", seen_at=None)
    with begin() as session:
        see(session, held[:2])
    with reading() as session:
        first = session.get_one(Comment, held[0]).seen_at
        assert coverage(session, [site_id()]) == Coverage(seen=2, of=4)
    with begin() as session:
        see(session, held[:1])
        assert session.get_one(Comment, held[0]).seen_at == first
    assert ids_of(View(tab="unread")) == held[2:]
    moderator.decide(held[1], "reject")
    with begin() as session:
        unsee(session, held)
    with reading() as session:
        assert session.get_one(Comment, held[0]).seen_at is None
        assert session.get_one(Comment, held[1]).seen_at is not None


@pytest.mark.parametrize(
    ("seen", "of", "percent"), [(0, 0, 100), (3, 3, 100), (0, 9, 0), (999, 1000, 99), (1, 3, 33)]
)
def test_only_everything_is_a_hundred_percent(seen: int, of: int, percent: int) -> None:
    assert Coverage(seen, of).percent == percent
