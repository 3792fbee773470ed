"""Picks of the teaching queue: drawn from all comments, opened once, and removed if unused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.identifiers import first_id, new_id
from models.judgement.picks import SESSION
from models.records import Comment, Review, Thread
from models.store.database import begin, now, reading
from service.moderation.teaching import ask_for_picks
from tests.caller import Caller
from tests.worker.learning.stored import add_comment, demo
from worker.learning import teaching
from worker.learning.teaching import draw_picks, remove_old_picks

pytestmark = pytest.mark.usefixtures("data")

WORDS = ("ferry", "harbour", "bridge", "market", "library", "theatre", "tram", "school")
MORE = ("late", "closed", "crowded", "lovely", "expensive", "quiet", "rebuilt", "empty")


def text(number: int) -> str:
    """Return one of 64 comments that do not resemble each other."""
    place, how = WORDS[number % 8], MORE[number // 8 % 8]
    return f"The {place} was {how} when we came on the {number}th; {how * 2} {place * 2}!"


def comments(count: int, *, status: str = "approved", risk: float = 0.1) -> list[str]:
    return [add_comment(text(number), status=status, risk=risk) for number in range(count)]


def drawn() -> list[Review]:
    """Draw as for a moderator who asked, and return the open picks."""
    ask_for_picks(demo().id)
    draw_picks(demo().id)
    return open_picks()


def open_picks() -> list[Review]:
    with reading() as session:
        waiting = select(Review).where(Review.cause == "teaching", Review.closed_at.is_(None))
        return list(session.scalars(waiting.order_by(Review.id)))


def test_live_and_rejected_comments_are_opened_as_blind_reviews() -> None:
    live, rejected = comments(30), comments(30, status="rejected", risk=0.9)
    picks = drawn()
    assert len(picks) == len({pick.comment_id for pick in picks}) == SESSION
    assert all(pick.blind and pick.due_at is None for pick in picks)
    assert {pick.comment_id for pick in picks} & set(live)
    assert {pick.comment_id for pick in picks} & set(rejected)
    assert demo().teach_due is None


def test_random_picks_know_their_chance_and_the_others_have_none() -> None:
    comments(50)
    propensities = [pick.propensity for pick in drawn()]
    assert sorted(each for each in propensities if each is not None) == [4 / 50] * 4


def test_nothing_is_drawn_unless_a_moderator_asked() -> None:
    comments(5)
    assert draw_picks(demo().id) == 0
    assert open_picks() == []


def test_a_second_session_only_adds_what_is_missing() -> None:
    comments(60)
    first = drawn()
    with begin() as session:
        session.delete(session.get_one(Review, first[0].id))
    second = drawn()
    assert {pick.id for pick in first[1:]} < {pick.id for pick in second}
    assert len(second) == SESSION
    assert ask_for_picks(demo().id) == SESSION
    assert demo().teach_due is None


def test_two_workers_draw_one_session() -> None:
    comments(60)
    ask_for_picks(demo().id)
    site, at = demo().id, now()
    assert teaching._claim(site, at) is not None
    assert teaching._claim(site, at) is None
    assert draw_picks(site) == 0


def test_a_worker_that_died_while_drawing_is_replaced() -> None:
    comments(30)
    ask_for_picks(demo().id)
    assert teaching._claim(demo().id, now() - timedelta(minutes=2)) is None  # not due yet
    assert teaching._claim(demo().id, now()) is not None
    later = now() + teaching.LEASE
    assert teaching._claim(demo().id, later) is not None


def test_decided_waiting_erased_and_old_comments_are_never_picked(moderator: Caller) -> None:
    decided, reported, erased, changing = comments(4)
    assert moderator.decide(decided, "approve").status_code == 201
    with begin() as session:
        session.add(Review(site_id=demo().id, comment_id=reported, cause="reported"))
        session.execute(update(Comment).where(Comment.id == erased).values(erased_at=now()))
        session.execute(update(Comment).where(Comment.id == changing).values(status="pending"))
    old = first_id(now() - timedelta(days=31))
    with begin() as session:
        thread = session.scalars(select(Thread)).first()
        assert thread
        session.add(
            Comment(
                id=old,
                site_id=demo().id,
                thread_id=thread.id,
                top_id=old,
                name="Ann",
                body=text(20),
                status="approved",
            )
        )
    wanted = add_comment(text(30))
    assert [pick.comment_id for pick in drawn()] == [wanted]


def test_a_comment_that_is_decided_while_picks_are_drawn_is_left_out(moderator: Caller) -> None:
    first, second = comments(2)
    with reading() as session:
        choices = teaching._choices(session, demo().id, teaching.SystemRandom())
    picks = teaching.draw(choices, 2, teaching.SystemRandom())
    assert moderator.decide(first, "approve").status_code == 201
    with begin() as session:
        assert teaching._open(session, demo().id, picks) == 1
    assert [pick.comment_id for pick in open_picks()] == [second]


def test_a_campaign_is_picked_once_even_if_its_comments_came_on_different_days() -> None:
    for number in range(40):
        add_comment(f"Buy cheap watches at our shop today, offer number {number}!", risk=0.5)
    others = comments(10)
    picked = [pick.comment_id for pick in drawn()]
    assert len(picked) == 11
    assert len(set(picked) - set(others)) == 1


def test_the_live_model_decides_who_is_uncertain() -> None:
    """The stored risk is of an earlier model: all of these have the same."""
    spam = "FREE followers!!! Click https://spam.example/win and subscribe to my channel NOW"
    sure = [add_comment(f"{spam} {text(number)}", risk=0.1) for number in range(3)]
    with reading() as session:
        choices = teaching._choices(session, demo().id, teaching.SystemRandom())
        doubts = {choice.id: choice.doubt for choice in choices}
    assert len(set(doubts.values())) == len(sure)


def test_a_comment_without_an_opinion_is_as_uncertain_as_can_be() -> None:
    unknown = add_comment("Kapal feri terlambat lagi pagi ini di pelabuhan.", language="id")
    with reading() as session:
        choices = teaching._choices(session, demo().id, teaching.SystemRandom())
    assert {choice.id: choice.doubt for choice in choices}[unknown] == 0


def test_a_pick_that_nobody_labelled_in_a_day_is_removed() -> None:
    comments(30)
    picks = drawn()
    with begin() as session:
        old = Review.id.in_([pick.id for pick in picks[:5]])
        session.execute(update(Review).where(old).values(opened_at=now() - timedelta(hours=25)))
        session.add(
            Review(
                id=new_id(),
                site_id=demo().id,
                comment_id=picks[0].comment_id,
                cause="reported",
                opened_at=now() - timedelta(days=9),
            )
        )
    remove_old_picks(now())
    assert [pick.id for pick in open_picks()] == [pick.id for pick in picks[5:]]
    with reading() as session:
        causes = select(Review.cause).where(Review.comment_id == picks[0].comment_id)
        assert list(session.scalars(causes)) == ["reported"]
