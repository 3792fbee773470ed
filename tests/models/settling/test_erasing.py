"""Erasing removes a comment's content from everywhere, and keeps its place."""

from __future__ import annotations

from sqlalchemy import select, update

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.records import (
    Block,
    Comment,
    DecisionRecord,
    Event,
    LinkedHost,
    Note,
    Question,
    Review,
    Screening,
    Site,
    SiteModelRecord,
    Thread,
)
from models.settling.changes import Change, Screened
from models.settling.erasing import erase, erase_rest
from models.store.database import begin, now, reading
from tests.caller import Client, posted
from tests.models.settling.deciding import ANN, decide, settle_one

SAID = "unforgettable"


def screened(client: Client, verdict: Verdict = Verdict.APPROVE) -> str:
    """A comment whose words occur in evidence, reasons, a note, a question, a host and an event."""
    comment = posted(
        client, name=SAID, body=f"An {SAID} ferry.", website=f"https://{SAID}.example/"
    )
    evidence = Evidence(check="words", outcome=Outcome.FOUND, detail=f"says {SAID}")
    with reading() as session:
        site = session.get_one(Comment, comment).site_id
    host = {"site_id": site, "host": f"{SAID}.example", "comment_id": comment}
    about = Screened(1, [evidence], 1, "en", hosts=[host], html=f"<p>{SAID}</p>")  # type: ignore[list-item]
    settle_one(Change(comment, verdict, (f"says {SAID}",), screened=about, note=SAID))
    with begin() as session:
        by = str(ANN)
        session.add(Note(site_id=site, kind="comment", subject=comment, text=SAID, by=by))
        session.add(Question(site_id=site, comment_id=comment, whom="owner", text=SAID, by=by))
        for kind in ("author", "like"):
            block = {"kind": kind, "stance": "block", "value": kind, "label": SAID, "by": by}
            session.add(Block(site_id=site, comment_id=comment, **block))
    return comment


def erased(comment: str) -> Comment:
    with begin() as session:
        assert erase(session, comment, by=ANN)
    with reading() as session:
        return session.get_one(Comment, comment)


def test_no_row_holds_its_words_any_more(client: Client) -> None:
    erased(screened(client))
    tables = (Comment, Screening, DecisionRecord, Event, Note, Question, Block, LinkedHost)
    with reading() as session:
        rows = [dict(vars(row)) for table in tables for row in session.scalars(select(table))]
    assert SAID not in str(rows)
    assert {row.get("label") for row in rows} >= {"an erased author", "an erased comment"}


def test_it_leaves_its_page_and_keeps_its_place(client: Client) -> None:
    row = erased(screened(client))
    assert (row.status, row.version, row.place, row.revision) == ("deleted", 3, 0, 2)
    assert row.erased_at
    assert row.screen_due is None
    with reading() as session:
        thread = session.scalars(select(Thread)).one()
    assert (thread.count, thread.places, thread.revision) == (0, 1, 2)


def test_the_log_says_who_erased_it_and_the_last_event_that_it_is_gone(
    client: Client,
) -> None:
    comment = screened(client)
    erased(comment)
    with reading() as session:
        last = session.scalars(select(DecisionRecord).order_by(DecisionRecord.id.desc())).first()
        events = session.scalars(select(Event).order_by(Event.sequence)).all()
    assert last
    assert (last.by, last.was, last.becomes) == (str(ANN), "approved", "deleted")
    assert [event.type for event in events] == ["comment.approved", "comment.deleted"]
    assert [event.data["comment"]["html"] for event in events] == ["", ""]
    assert events[0].data["decision"]["reasons"] == []
    assert events[1].data["decision"] is None
    assert (events[1].revision, events[1].ends_approval) == (2, True)


def test_a_comment_that_was_never_live_touches_no_page(client: Client) -> None:
    comment = screened(client, Verdict.FLAG)
    with begin() as session:
        settled = erase(session, comment, by=ANN)
    assert settled
    assert (settled.touches_page, settled.is_new, settled.status) == (False, True, "deleted")
    with reading() as session:
        assert session.scalars(select(Review.closed_by)).one() == settled.decision_id
        assert session.scalars(select(Thread.revision)).one() == 0


def test_a_second_call_does_nothing(client: Client) -> None:
    comment = screened(client)
    erased(comment)
    with begin() as session:
        assert erase(session, comment, by=ANN) is None
        assert erase(session, "018f0000-0000-7000-8000-000000000000", by=ANN) is None


def test_a_model_that_may_have_learned_from_it_is_due_to_be_replaced(client: Client) -> None:
    taught = screened(client)
    decide(taught, "reject")
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(
            SiteModelRecord(
                site_id=site,
                version="1.1",
                sha256="0" * 64,
                file=b"",
                weights=b"",
                card={"base": "base"},
                seen=[],
                scores={},
            )
        )
    erased(taught)
    with reading() as session:
        assert session.scalars(select(Site.learn_due)).one()


def test_remains_of_an_erased_comment_are_erased_too(client: Client) -> None:
    comment = screened(client)
    erased(comment)
    with begin() as session:
        session.execute(update(Comment).values(body=SAID, name=SAID))
        session.execute(update(DecisionRecord).values(note=SAID))
        erase_rest(session, comment)
    with reading() as session:
        row = session.get_one(Comment, comment)
        notes = set(session.scalars(select(DecisionRecord.note)))
    assert (row.body, row.name, notes) == ("", "", {""})


def test_the_rest_of_a_comment_that_is_not_erased_stays(client: Client) -> None:
    comment = screened(client)
    with begin() as session:
        erase_rest(session, comment)
    with reading() as session:
        assert session.get_one(Comment, comment).name == SAID
        assert session.get_one(Comment, comment).at <= now()
