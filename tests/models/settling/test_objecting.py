"""Reports that hold a comment, and notices of illegal content, as rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from models.records import Comment, DecisionRecord, Event, Notice, Report, Review
from models.settling.actor import AUTHOR
from models.settling.erasing import erase
from models.settling.objecting import (
    Filed,
    Filing,
    NewNotice,
    dismiss_notice,
    in_words,
    open_notice,
    report,
)
from models.settling.reports import weight_of
from models.store.database import begin, reading
from tests.caller import Client, posted, screen_all
from tests.models.settling.deciding import ANN, decide, take_back


@pytest.fixture
def published(client: Client) -> str:
    comment = posted(client)
    screen_all()
    return comment


def file(
    comment: str,
    reporter: str,
    reason: str = "threat",
    *,
    reader: str | None = None,
    address: str = "",
    to_hold: float = 3,
) -> Filed | None:
    with begin() as session:
        filing = Filing(
            1, comment, reporter, address or f"at {reporter}", reason, "Look!", reader_id=reader
        )
        return report(session, filing, to_hold=to_hold)


def give_notice(comment: str, category: str = "VIOLENCE") -> str:
    with begin() as session:
        filed = open_notice(
            session, NewNotice(1, comment, category, "It calls for murder.", None, "en")
        )
    assert filed
    return filed.id


def status(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def outcomes(of: type[Report] | type[Notice]) -> list[str | None]:
    with reading() as session:
        return [row.outcome for row in session.scalars(select(of).order_by(of.id))]


def open_causes(comment: str) -> list[str]:
    wanted = select(Review.cause).where(Review.comment_id == comment, Review.closed_at.is_(None))
    with reading() as session:
        return sorted(session.scalars(wanted))


def events() -> list[Event]:
    with reading() as session:
        return list(session.scalars(select(Event).order_by(Event.position, Event.nth)))


def test_the_first_report_asks_a_moderator_and_the_third_holds_the_comment(published: str) -> None:
    file(published, "a")
    assert (status(published), open_causes(published)) == ("approved", ["reported"])
    file(published, "b")
    file(published, "c", "spam")
    assert (status(published), open_causes(published)) == ("flagged", ["flagged", "reported"])
    with reading() as session:
        last = session.scalars(select(DecisionRecord).order_by(DecisionRecord.id.desc())).first()
        assert last
        assert (last.by, last.reasons) == (
            "policy",
            ["reported by 3 readers: threat (2), spam (1)"],
        )
        assert session.get_one(Comment, published).seen_at is None
        held = session.scalars(select(Review).where(Review.cause == "flagged")).one()
        assert held.propensity is None


def test_a_repeated_report_changes_nothing(published: str) -> None:
    first = file(published, "a")
    again = [file(published, "a", "spam") for _ in range(5)]
    assert first
    assert again == [Filed(first.id, None)] * 5
    assert len(events()) == 2
    assert status(published) == "approved"


def test_an_address_counts_once_unless_two_readers_there_are_known(published: str) -> None:
    ann, ben = (f"0195511c-6a20-7c3e-9d41-3f1f0a6b52c{digit}" for digit in "78")
    file(published, "ann", reader=ann, address="home")
    assert file(published, "home", address="home") == file(published, "ann", reader=ann)
    file(published, "ben", reader=ben, address="home")
    assert outcomes(Report) == [None, None]


def test_only_a_published_comment_of_the_site_can_be_reported(client: Client) -> None:
    pending = posted(client)
    assert file(pending, "a") is None
    decide(pending, "flag")
    assert file(pending, "a") is None
    decide(pending, "reject")
    assert file(pending, "a") is None
    with begin() as session:
        assert report(session, Filing(2, pending, "a", "a", "spam"), to_hold=3) is None


@pytest.mark.parametrize(
    ("upheld", "dismissed", "weight"),
    [
        (0, 0, 1),
        (1, 0, 1.3333),
        (0, 1, 0.6667),
        (8, 0, 1.8),
        (0, 6, 0.25),
        (0, 600, 0.25),
        (600, 0, 1.9967),
    ],
)
def test_a_report_weighs_as_the_reporter_was_right(
    upheld: int, dismissed: int, weight: float
) -> None:
    assert weight_of(upheld, dismissed) == weight


def test_a_human_decision_settles_all_reports_as_one(published: str) -> None:
    for reporter in "abc":
        file(published, reporter)
    decide(published, "reject")
    assert outcomes(Report) == ["upheld"] * 3
    assert open_causes(published) == []
    take_back(published)
    assert outcomes(Report) == [None] * 3
    assert open_causes(published) == ["flagged", "reported"]
    decide(published, "approve")
    assert outcomes(Report) == ["dismissed"] * 3


def test_the_same_reports_never_hold_an_approved_comment_again(published: str) -> None:
    for reporter in "abc":
        file(published, reporter)
    decide(published, "approve")
    for reporter in "abc":
        file(published, reporter)
    file(published, "d")
    assert status(published) == "approved"
    with reading() as session:
        assert session.scalars(select(Report.weight).order_by(Report.id)).all() == [1.0] * 4


def test_the_accuracy_of_a_reporter_weighs_on_their_next_report(
    client: Client, published: str
) -> None:
    file(published, "a")
    decide(published, "reject")
    other = posted(client, body="Another one.", email="other@example.org")
    screen_all()
    file(other, "a")
    with reading() as session:
        assert session.scalars(select(Report.weight).order_by(Report.id)).all() == [1.0, 1.3333]


def test_deleting_an_own_comment_proves_no_reporter_right(client: Client, published: str) -> None:
    file(published, "a")
    with begin() as session:
        erase(session, published, by=AUTHOR)
    assert outcomes(Report) == ["upheld"]  # the reporter asked for its removal, and it is gone
    other = posted(client, body="Another one.", email="other@example.org")
    screen_all()
    file(other, "a")
    with reading() as session:
        assert session.scalars(select(Report.weight).order_by(Report.id)).all() == [1.0, 1.0]


def test_a_flag_by_a_moderator_leaves_the_reports_open(published: str) -> None:
    file(published, "a")
    decide(published, "flag")
    assert outcomes(Report) == [None]
    assert open_causes(published) == ["flagged", "reported"]


def test_undoing_an_older_decision_leaves_a_newer_report_open(published: str) -> None:
    decide(published, "approve")
    file(published, "a")
    take_back(published)
    assert open_causes(published) == ["reported"]
    assert outcomes(Report) == [None]


def test_erasing_a_comment_upholds_its_reports_and_forgets_their_words(published: str) -> None:
    file(published, "a")
    notice = give_notice(published)
    with begin() as session:
        erase(session, published, by=ANN)
    with reading() as session:
        row = session.scalars(select(Report)).one()
        assert (row.outcome, row.text) == ("upheld", "")
        about = session.get_one(Notice, notice)
        assert (about.outcome, about.explanation) == ("removed", "")


def test_many_reports_at_once_hold_the_comment_once(published: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda reporter: file(published, f"r{reporter}"), range(12)))
    kinds = [event.type for event in events()]
    assert kinds == ["comment.approved", *["comment.reported"] * 3, "comment.flagged"]
    assert len(outcomes(Report)) == 3


def test_each_report_is_an_event_with_counts_and_no_reporter(published: str) -> None:
    file(published, "a")
    file(published, "b", "off_topic")
    last = events()[-1]
    assert (last.type, last.sequence, last.data["sequence"]) == ("comment.reported", 3, 3)
    assert last.supersedes == events()[-2].id
    assert last.data["comment"]["status"] == "approved"
    assert last.data["reports"] == {
        "count": 2,
        "weight": 2.0,
        "by_reason": {"off_topic": 1, "threat": 1},
    }


def test_a_flood_of_reports_sends_few_events(published: str) -> None:
    for number in range(70):
        file(published, f"r{number}", to_hold=1000)
    counts = [each.data["reports"]["count"] for each in events() if "reports" in each.data]
    assert counts == [*range(1, 17), 32, 64]


def test_a_screening_does_not_publish_what_reports_hold(published: str) -> None:
    with begin() as session:
        session.get_one(Comment, published).screen_due = session.get_one(Comment, published).at
    for reporter in "abc":
        file(published, reporter)
    screen_all()
    assert status(published) == "flagged"


def test_a_notice_waits_for_a_decision_and_is_closed_by_it(published: str) -> None:
    give_notice(published)
    assert open_causes(published) == ["notice"]
    decide(published, "reject")
    assert outcomes(Notice) == ["removed"]
    opened, rejected, closed = events()[-3:]
    assert (opened.type, closed.type, rejected.type) == (
        "notice.opened",
        "notice.closed",
        "comment.rejected",
    )
    assert (opened.data["sequence"], closed.data["sequence"]) == (None, None)
    assert (opened.sequence, closed.sequence) == (-1, -2)
    assert rejected.data["sequence"] == 2
    assert closed.data["notice"]["outcome"] == "removed"


def test_undoing_the_decision_opens_the_notice_again(published: str) -> None:
    give_notice(published)
    decide(published, "reject")
    take_back(published)
    assert outcomes(Notice) == [None]
    assert open_causes(published) == ["notice"]


def test_an_urgent_notice_brings_the_review_forward(published: str) -> None:
    give_notice(published, "SCAMS_AND_FRAUD")
    with reading() as session:
        first = session.scalars(select(Review.due_at).where(Review.cause == "notice")).one()
    give_notice(published, "SELF_HARM")
    with reading() as session:
        then = session.scalars(select(Review.due_at).where(Review.cause == "notice")).one()
    assert first
    assert then
    assert then < first


def test_a_notice_can_be_dismissed_without_a_decision(published: str) -> None:
    first, second = give_notice(published), give_notice(published)
    with begin() as session:
        assert dismiss_notice(session, first, by=ANN, answer="It is not illegal.")
    assert open_causes(published) == ["notice"]
    with begin() as session:
        assert dismiss_notice(session, second, by=ANN, answer="")
    with begin() as session:
        assert dismiss_notice(session, second, by=ANN, answer="") is None
    assert (outcomes(Notice), open_causes(published)) == (["dismissed"] * 2, [])
    assert status(published) == "approved"


def test_a_comment_that_was_never_published_gets_no_notice(client: Client) -> None:
    pending = posted(client)
    decide(pending, "flag")
    with begin() as session:
        new = NewNotice(1, pending, "VIOLENCE", "Look", None, "en")
        assert open_notice(session, new) is None


def test_a_held_comment_that_was_published_gets_one(published: str) -> None:
    for reporter in "abc":
        file(published, reporter)
    assert give_notice(published)


def test_the_reasons_are_said_in_words() -> None:
    assert in_words({"off_topic": 1}) == "reported by 1 reader: off topic (1)"
