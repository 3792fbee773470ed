"""The doctor finds what is broken, and nothing else. What it can repair is right afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, select, text, update

from models.identifiers import new_id
from models.records import (
    Appeal,
    Comment,
    DecisionRecord,
    Delivery,
    Edit,
    Endpoint,
    Event,
    Mail,
    Notice,
    Report,
    Review,
    Screening,
    Site,
    Thread,
)
from models.store import storage
from models.store.database import Base, begin, engine, now, reading
from service.commands.main import main
from service.operations import doctor, page_rules
from service.operations.publishing import publish
from tests.caller import Caller, Client, posted, publish_all

Ids = dict[str, str]
Break = Callable[[Any, Ids], object]
AGO = timedelta(hours=2)
PAGE, PAGE_7 = (storage.page_name("demo", "/harbour", number) for number in (1, 7))
FEED = storage.feed_name("demo", "/harbour")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait: nobody publishes in these tests."""
    monkeypatch.setattr(page_rules, "PAUSES", ())


def found() -> set[str]:
    return set(doctor.examine().counts)


def set_(what: str, **values: Any) -> Break:
    return lambda session, ids: session.execute(
        update(Comment).where(Comment.id == ids[what]).values(**values)
    )


def thread(**values: Any) -> Break:
    return lambda session, ids: session.execute(update(Thread).values(**values))


def review(what: str, **values: Any) -> Break:
    return lambda session, ids: session.execute(
        update(Review).where(Review.comment_id == ids[what]).values(**values)
    )


def last_decision(what: str, **values: Any) -> Break:
    def change(session: Any, ids: Ids) -> None:
        log = select(DecisionRecord.id).where(DecisionRecord.comment_id == ids[what])
        last = session.scalar(
            log.order_by(DecisionRecord.version.desc(), DecisionRecord.id.desc()).limit(1)
        )
        session.execute(update(DecisionRecord).where(DecisionRecord.id == last).values(**values))

    return change


def event(what: str, number: int, **values: Any) -> Break:
    one = (Event.comment_id, Event.sequence)
    return lambda session, ids: session.execute(
        update(Event).where(one[0] == ids[what], one[1] == number).values(**values)
    )


def no_reviews(session: Any, ids: Ids) -> None:
    session.execute(delete(Review))


def extra_review(session: Any, ids: Ids) -> None:
    session.add(Review(site_id=1, comment_id=ids["approved"], cause="flagged"))


def reported(what: str, **values: Any) -> Break:
    def add(session: Any, ids: Ids) -> None:
        about = {"site_id": 1, "comment_id": ids[what], "reporter": "x", "reason": "spam"}
        session.add(Report(**about, **values))

    return add


def noticed(session: Any, ids: Ids) -> None:
    about = {"category": "VIOLENCE", "explanation": "x", "due_at": now()}
    session.add(Notice(site_id=1, comment_id=ids["approved"], **about))


def counter_back(session: Any, ids: Ids) -> None:
    session.execute(update(Site).values(event_sequence=0))


def mail(**values: Any) -> Break:
    return lambda session, ids: session.add(Mail(site_id=1, kind="reply", **values))


def remove(name: str) -> Break:
    return lambda session, ids: storage.remove(name)


def put(name: str) -> Break:
    return lambda session, ids: storage.put(name, b"{}", "application/json")


def two_open(session: Any, ids: Ids) -> None:
    session.execute(text("DROP INDEX uq_reviews_open"))
    session.add(Review(site_id=1, comment_id=ids["flagged"], cause="flagged"))


def unscreened(session: Any, ids: Ids) -> None:
    session.execute(delete(Screening).where(Screening.comment_id == ids["approved"]))
    session.execute(update(Comment).where(Comment.id == ids["approved"]).values(screenings=0))


def unasked_appeal(session: Any, ids: Ids) -> None:
    wanted = select(DecisionRecord.id).where(DecisionRecord.comment_id == ids["rejected"])
    decision = session.scalars(wanted.order_by(DecisionRecord.version.desc())).first()
    times = {"opened_at": now(), "due_at": now()}
    of_it = {"site_id": 1, "comment_id": ids["rejected"], "decision_id": decision}
    session.add(Appeal(text="Why?", **of_it, **times))


def pending(**values: Any) -> Break:
    def add(session: Any, ids: Ids) -> None:
        row = {
            name: getattr(session.get(Comment, ids["approved"]), name)
            for name in ("site_id", "thread_id", "name")
        }
        id_ = new_id()
        session.execute(
            insert(Base.metadata.tables["comments"]),
            [row | {"id": id_, "top_id": id_, "body": "Waiting", "at": now()} | values],
        )

    return add


def delivery(**values: Any) -> Break:
    def add(session: Any, ids: Ids) -> None:
        endpoint = Endpoint(
            site_id=1, url="https://hook.example/", events=["comment.approved"], sealed=b""
        )
        session.add(endpoint)
        session.flush()
        of_it = {
            "event_id": new_id(),
            "type": "comment.approved",
            "comment_id": ids["approved"],
            "thread_id": 1,
        }
        session.add(Delivery(endpoint_id=endpoint.id, **of_it, **values))

    return add


def edit(what: str, **values: Any) -> Break:
    def add(session: Any, ids: Ids) -> None:
        texts = {"by": "author", "before": "Before", "body": "After", "status": "waiting"}
        session.add(Edit(site_id=1, comment_id=ids[what], **texts, **values))

    return add


def edit_review(session: Any, ids: Ids) -> None:
    session.add(Review(site_id=1, comment_id=ids["approved"], cause="edited"))


# One row per rule: a change of the data, and the rules that must report it (others may report it,
# too).
BROKEN: dict[str, tuple[Break, set[str]]] = {
    "a flagged comment nobody is asked about": (no_reviews, {"flagged without review"}),
    "two open reviews of one cause": (two_open, {"one review a cause"}),
    "a review closed by no decision": (review("flagged", closed_at=now()), {"closed by a decision"}),
    "an open review of a settled comment": (extra_review, {"open though settled"}),
    "an appeal nobody is asked to decide": (unasked_appeal, {"appeal in review"}),
    "a decision from a state that was not": (last_decision("approved", was="rejected"), {"legal log"}),
    "a decision that skips a version": (last_decision("approved", version=9), {"legal log", "as decided"}),
    "a status nobody decided": (set_("rejected", status="flagged"), {"as decided", "events in order"}),
    "a version nobody decided": (set_("rejected", version=7), {"as decided"}),
    "settled without a decision": (
        pending(status="rejected", screen_due=None), {"settled by nobody", "without events"},
    ),
    "two automatic decisions on one screening": (unscreened, {"one automatic decision"}),
    "a gap in a comment's events": (event("approved", 1, sequence=9), {"events in order"}),
    "an event that supersedes another": (event("undone", 2, supersedes=new_id()), {"events in order"}),
    "a last event of another status": (event("rejected", 2, type="comment.approved"), {"events in order"}),
    "an edit that nobody looks at": (edit("approved"), {"edits are looked at"}),
    "an edit of a comment that is not public": (edit("rejected"), {"edits are looked at"}),
    "an edit that does not exist": (set_("approved", edit_id=new_id()), {"edits exist"}),
    "a review of no edit": (edit_review, {"edits in review"}),
    "an erased comment's edit": (edit("erased"), {"erased is erased"}),
    "a site's counter put back": (counter_back, {"site counter"}),
    "pending, and nobody owes a screening": (pending(screen_due=None), {"never screened"}),
    "pending for hours": (pending(at=now() - AGO, screen_due=now()), {"screened in time"}),
    "a screening long overdue": (set_("approved", screen_due=now() - AGO), {"screened in time"}),
    "a thread long unpublished": (
        # its comments are new, so it is not overdue yet
        thread(published_revision=0, publish_due=now() - AGO), set(),
    ),
    "a change nobody sees for hours": (
        lambda session, ids: [
            set_("approved", settled_at=now() - AGO)(session, ids),
            thread(published_revision=0, publish_due=now())(session, ids),
        ],
        {"published in time"},
    ),
    "a revision nobody owes": (thread(published_revision=0), {"owed"}),
    "published beyond itself": (thread(published_revision=99, publish_due=now()), {"not ahead"}),
    "a delivery nobody has tried": (delivery(state="owed", due=now() - AGO), {"delivered in time"}),
    "a delivery that is tried": (delivery(state="owed", due=now() + AGO, attempts=3), set()),
    "a delivery that waits for a page shown long ago": (
        delivery(state="waiting", revision=1, created_at=now() - AGO), {"told once shown"},
    ),
    "a delivery owed at no time": (delivery(state="owed"), {"due while owed"}),
    "a delivery made, and due": (delivery(state="delivered", due=now()), {"due while owed"}),
    "a mail owed at no time": (mail(state="owed"), {"mail due"}),
    "a mail sent, and due": (mail(state="sent", due=now()), {"mail due"}),
    "a mail sent, but with its address": (mail(state="sent", address=b"1\0x"), {"mail ended"}),
    "a follower who does not exist": (thread(followers=1), {"followers"}),
    "a lease left behind": (thread(lease=new_id(), lease_until=now() - AGO), {"leases end"}),
    "approved without a place": (set_("approved", place=None), {"a place each", "on its page", "places"}),
    "erased, but not its words": (set_("erased", body="secret"), {"erased is erased"}),
    "deleted, but not erased": (set_("erased", erased_at=None), {"erased and deleted"}),
    "erased, but not what a report quotes": (
        reported("erased", text="secret", outcome="upheld"), {"erased is erased"},
    ),
    "a report that nobody sees": (reported("approved"), {"report without review"}),
    "a notice that nobody sees": (noticed, {"notice without review"}),
    "a count that is wrong": (thread(count=40), {"counts", "head"}),
    "two comments on one place": (set_("undone", place=0), {"places"}),
    "an address nobody can read": (set_("approved", email=b"9\0nonsense"), {"addresses", "keys"}),
    "approved behind the page's back": (set_("rejected", status="approved"), {"counts", "as decided"}),
    "rejected behind the page's back": (
        set_("approved", status="rejected"),
        {"on its page", "counts", "feed", "as decided"},
    ),
    "reworded behind the page's back": (set_("approved", html="<p>Other words</p>"), {"as written"}),
    "a page that is gone": (remove(PAGE), {"on its page"}),
    "a feed that is gone": (remove(FEED), {"feed"}),
    "a page too many": (put(PAGE_7), {"no strays"}),
    "a page of another script's number": (put(PAGE.removesuffix("1.json") + "١.json"), {"no strays"}),
    "a thread too many": (put(storage.newest_name("demo", "/nowhere")), {"no strays"}),
}  # fmt: skip
FOR_NO_COMMAND = {
    "legal log", "as decided", "settled by nobody", "without events", "one automatic decision",
    "events in order", "site counter", "erased and deleted", "places", "addresses", "keys",
}  # fmt: skip


def test_the_doctor_finds_no_problem_in_what_the_service_wrote(lived_in: Ids) -> None:
    examination = doctor.examine()
    assert examination.found == []
    assert (examination.comments, examination.threads) == (len(lived_in), 1)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named_and_repaired(name: str, lived_in: Ids) -> None:
    breaks, rules = BROKEN[name]
    with begin() as session:
        breaks(session, lived_in)
    examination = doctor.examine()
    assert rules <= set(examination.counts), examination.found
    if not rules:
        assert examination.found == []
    doctor.mend(examination.found)
    left = found() - {
        "screened in time",
        "delivered in time",
        "told once shown",
    }  # those need a worker
    assert left <= FOR_NO_COMMAND, doctor.examine().found
    if not rules & FOR_NO_COMMAND:
        assert left == set()


def test_every_rule_has_been_seen_to_find_something() -> None:
    seen = {rule for _, rules in BROKEN.values() for rule in rules}
    assert {rule.name for rule in doctor.RULES} <= seen


def test_a_page_with_too_many_top_comments_is_named(lived_in: Ids) -> None:
    stored = storage.get(PAGE)
    assert stored is not None
    page = orjson.loads(stored.content)
    page["comments"] += [{"id": None, "replies": []}] * 25
    storage.put(PAGE, orjson.dumps(page), "application/json")
    assert found() == {"25 a page"}


def test_a_thread_that_is_being_published_is_checked_again(
    lived_in: Ids, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.remove(PAGE)
    monkeypatch.setattr(page_rules, "PAUSES", (0.0,))
    monkeypatch.setattr(page_rules, "time", SimpleNamespace(sleep=lambda _: publish([thread_id])))
    with reading() as session:
        thread_id = session.scalars(select(Thread.id)).one()
    assert page_rules.examine(thread_id, lambda names: map(storage.look, names)) == []


def test_doctor_prints_the_repair_and_sets_the_exit_status_for_monitoring(
    lived_in: Ids, data: Path
) -> None:
    run = CliRunner().invoke(main, ["doctor"])
    assert (run.exit_code, run.stdout.strip().endswith("no problems")) == (0, True)
    with begin() as session:
        set_("approved", html="<p>Other words</p>")(session, lived_in)
        thread_id = session.scalar(select(Thread.id))
    run = CliRunner().invoke(main, ["doctor"])
    assert run.exit_code == 1
    assert f"comment {lived_in['approved']} has a different text on 1.json" in run.stdout
    assert f"To fix: greenroom publish {thread_id}\n" in run.stdout
    told = orjson.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    assert told["well"] is False
    assert {violation["rule"] for violation in told["violations"]} == {"as written"}
    assert CliRunner().invoke(main, ["publish", str(thread_id)]).exit_code == 0
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


def test_a_thread_is_published_by_its_key_and_an_unknown_one_is_reported(
    lived_in: Ids,
) -> None:
    def publish(*words: str) -> tuple[int, str]:
        run = CliRunner().invoke(main, ["publish", *words])
        return run.exit_code, run.stderr

    storage.remove(PAGE)
    assert publish("--site", "demo", "/harbour") == (0, "")
    assert found() == set()
    assert publish("--site", "demo", "/harbuor") == (
        1,
        "Error: There is no thread /harbuor on a site 'demo'.\n",
    )
    assert publish("--site", "dmeo", "/harbour") == (
        1,
        "Error: There is no thread /harbour on a site 'dmeo'.\n",
    )
    assert publish("999") == (1, "Error: There is no thread 999.\n")
    assert publish("/harbour")[1].startswith(
        "Error: '/harbour' is not a thread's number. To name a thread by its key"
    )


def test_mending_by_command_looks_again(lived_in: Ids) -> None:
    with begin() as session:
        session.execute(delete(Review))
    run = CliRunner().invoke(main, ["doctor", "--mend"])
    assert (run.exit_code, run.stdout.strip().endswith("no problems")) == (0, True)


def test_where_it_cannot_look_its_status_is_two(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin() as session:
        session.execute(Base.metadata.tables["comments"].update().values(name=""))
    with engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    run = CliRunner().invoke(main, ["doctor"])
    assert run.exit_code == 2
    assert "the check could not run" in run.stderr


def test_a_thread_of_many_pages_and_replies_is_well(
    client: Client, moderator: Caller, monkeypatch: Any
) -> None:
    monkeypatch.setattr(page_rules, "PAGES_AT_ONCE", 2)
    monkeypatch.setattr(page_rules, "REPLIES_A_PAGE", 50)
    tops = [posted(client, body=f"Top {number}") for number in range(80)]
    for id_ in tops:
        moderator.decide(id_, "approve")
    answers = [posted(client, body=f"Answer {number}", parent=tops[3]) for number in range(60)]
    for id_ in answers:
        moderator.decide(id_, "approve")
    moderator.decide(tops[3], "reject")
    for id_ in tops[75:]:
        moderator.decide(id_, "reject")
    publish_all()
    assert doctor.examine().found == []
    moderator.decide(answers[55], "reject")
    with begin() as session:
        session.execute(update(Thread).values(published_revision=Thread.revision, publish_due=None))
    assert "on its page" in found()
