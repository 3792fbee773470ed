"""The log: decisions by people and all other actions, newest first, with one filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.identifiers import first_id, new_id
from models.records import Act, Site
from models.store.database import begin, reading
from service.console.log import SHOWN_OF_A_BATCH
from service.moderation.log import (
    KINDS,
    Line,
    LogFilter,
    Together,
    first_of_batch,
    lines,
    note_act,
    said_reason,
    said_together,
)
from service.sites.policy_changes import SettingChange
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def site_id() -> int:
    with reading() as session:
        return session.scalars(select(Site.id).where(Site.key == "demo")).one()


def read(before: str | None = None, limit: int = 100, **filters: object) -> list[Line]:
    with reading() as session:
        wanted = LogFilter([site_id()])._replace(**filters)
        return lines(session, wanted, before, limit)


def act(what: str, *, at: datetime = NOON, by: str = "moderator:x", own: bool = False) -> None:
    """Log an action of that time: its id contains the time, as the ids of real actions do."""
    with begin() as session:
        site = None if own else site_id()
        session.add(Act(id=first_id(at), at=at, site_id=site, by=by, kind="people", what=what))


@pytest.fixture
def held(client: Client) -> str:
    comment = posted(client, name="Reader", body=f"Look {LINKS}", title="The harbour")
    screen_all()
    return comment


def test_decisions_acts_and_settings_are_in_one_order_of_time(
    client: Client, moderator: Caller, held: str
) -> None:
    ann = SignedIn(client)
    moderator.decide(held, "approve")
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})
    moderator.call("PUT", "/policy", json={"links": {"max_links": 3}, "version": 1})
    block = ann.form(f"/comments/{held}/block", kind="host", value="casino.example", days="7")
    assert block.status_code == 303
    *found, created = read()
    assert created.what.startswith("created the key")
    assert [line.kind for line in found] == ["blocks", "settings", "threads", "decisions"]
    assert [line.id for line in found] == sorted((line.id for line in found), reverse=True)
    decision = found[-1]
    assert decision.decision is not None
    assert (decision.name, decision.page, decision.what) == ("Reader", "The harbour", "")
    assert found[1].what == (
        "changed “Links allowed in one comment” from 2 to 3 (settings version 2)"
    )


@pytest.mark.parametrize("kind", ["decisions", "threads", "settings", "people", "keys"])
def test_a_kind_shows_its_own_lines_only(moderator: Caller, held: str, kind: str) -> None:
    moderator.decide(held, "approve")
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})
    moderator.call("PUT", "/policy", json={"links": {"max_links": 3}, "version": 1})
    act("invited ben", at=datetime.now(UTC))
    assert kind in KINDS
    assert [line.kind for line in read(kind=kind)] == [kind]


def test_automatic_decisions_are_not_in_the_log(client: Client) -> None:
    posted(client)
    screen_all()
    assert read() == []


def test_since_is_included_and_until_is_not(data: object) -> None:
    for hours in range(4):
        act(f"hour {hours}", at=NOON + timedelta(hours=hours))
    since, until = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    assert [line.what for line in read(since=since, until=until)] == ["hour 2", "hour 1"]
    assert [line.what for line in read(until=since)] == ["hour 0"]


def test_versions_of_the_settings_keep_to_the_same_days(moderator: Caller) -> None:
    for day in (1, 2, 3):
        with time_machine.travel(NOON + timedelta(days=day), tick=False):
            body = {"links": {"max_links": day}, "version": day}
            assert moderator.call("PUT", "/policy", json=body).status_code == 200
    since, until = NOON + timedelta(days=2), NOON + timedelta(days=3)
    (line,) = read(since=since, until=until)
    assert line.version == 3
    assert line.changes == [SettingChange("links.max_links", 1, 2)]


def test_each_line_of_the_settings_says_what_that_version_changed(moderator: Caller) -> None:
    for version, most in ((1, 3), (2, 9)):
        moderator.call("PUT", "/policy", json={"links": {"max_links": most}, "version": version})
    changes = [line.changes for line in read(kind="settings")]
    assert changes == [
        [SettingChange("links.max_links", 3, 9)],
        [SettingChange("links.max_links", 2, 3)],
    ]
    by_key = moderator.call("GET", "/log?kind=settings").json["log"]
    assert by_key[0]["changes"] == [{"setting": "links.max_links", "from": 3, "to": 9}]


@pytest.fixture
def batch(client: Client) -> str:
    """Add 30 decisions by ann in a batch, and a single decision before and after it."""
    ids = [posted(client, body=f"{n} {LINKS}", email=f"r{n}@example.org") for n in range(32)]
    screen_all()
    ann, together = SignedIn(client), new_id()
    ann.decide(ids[0], verdict="reject")
    ann.decide(*ids[1:16], verdict="reject", reason="off_topic", batch=together)
    ann.decide(*ids[16:31], verdict="reject", reason="off_topic", batch=together)
    ann.decide(ids[31], verdict="reject")
    return together


def test_a_batch_is_one_line(batch: str) -> None:
    *found, _ = read(together=True, kind="decisions", limit=4)
    single, many = found
    assert single.together is None
    assert many.together == Together(batch, 30, "reject", "off_topic")
    assert said_together(many.together, is_undo=False) == "rejected 30 comments as off topic"
    with reading() as session:
        latest = first_of_batch(session, LogFilter([site_id()]), many, 5)
    assert len(latest) == 5
    assert latest[0].id == many.id


def test_a_cursor_skips_a_batch_that_was_shown(batch: str) -> None:
    seen: list[Line] = []
    while page := read(seen[-1].id if seen else None, limit=1, together=True, kind="decisions"):
        seen += page
    assert [line.together.size if line.together else 1 for line in seen] == [1, 30, 1]


def test_undoing_a_batch_is_one_line_as_well(client: Client, batch: str) -> None:
    ann = SignedIn(client)
    ann.call("/undo", batch=batch)
    undone = read(together=True)[0]
    assert undone.together is not None
    assert said_together(undone.together, is_undo=True) == "undid the decisions on 30 comments"
    assert len(read(batch=batch)) == 60
    assert len(read(batch=batch, undone=True)) == 30


def test_the_page_opens_a_batch(client: Client, moderator: Caller, batch: str) -> None:
    ann = SignedIn(client)
    page = ann.get("/log")
    assert page.count("<b>ann@paper.example</b> rejected 30 comments as off topic") == 1
    assert page.count("rejected the comment by") == 2 + SHOWN_OF_A_BATCH
    assert f'<a href="/console/log?batch={batch}">Show all 30</a>' in page
    assert ann.get(f"/log?batch={batch}").count("rejected the comment by") == 30
    assert ann.client.get("/console/log?batch=x").status_code == 422
    assert ann.get("/log.csv").count("rejected the comment by") == 32  # a spreadsheet has them all
    assert len(moderator.call("GET", f"/log?batch={batch}").json["log"]) == 30
    assert moderator.call("GET", "/log?batch=x").status_code == 422


def test_who_did_it_is_a_filter_for_every_kind(moderator: Caller, held: str) -> None:
    act("invited ben", by="moderator:x")
    moderator.decide(held, "approve")
    moderator.call("PUT", "/policy", json={"links": {"max_links": 3}, "version": 1})
    by_key = read()[0].by
    assert by_key.startswith("key:")
    assert {line.kind for line in read(who=by_key)} == {"decisions", "settings"}
    assert [line.what for line in read(who="moderator:x")] == ["invited ben"]


def test_a_cursor_reads_on_without_a_line_twice_or_missing(data: object) -> None:
    for number in range(7):
        act(str(number), at=NOON + timedelta(seconds=number))
    seen: list[str] = []
    before: str | None = None
    while page := read(before, limit=3):
        seen += [line.what for line in page]
        before = page[-1].id
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_only_its_owner_sees_the_actions_on_an_account(data: object) -> None:
    with begin() as session:
        note_act(session, "moderator:ann", "people", "turned on a second factor")
        note_act(session, "moderator:ann", "people", "invited ben", site_id=site_id())
    assert [line.what for line in read()] == ["invited ben"]
    assert len(read(own="moderator:ann")) == 2
    assert len(read(own="moderator:ben")) == 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, ""),
        ("off_topic", " as off topic"),
        ("other", " for another reason"),
    ],
)
def test_a_reason_ends_the_sentence(reason: str | None, words: str) -> None:
    assert said_reason(reason) == words


def test_changed_rules_are_in_the_log_as_json(moderator: Caller) -> None:
    rule = {"key": "kind", "title": "Be kind", "text": "", "ground": "house", "reason": "abuse"}
    assert moderator.call("PATCH", "/policy", json={"rules": [rule]}).status_code == 200
    [change] = moderator.call("GET", "/log?kind=settings").json["log"][0]["changes"]
    assert (change["setting"], change["to"]) == ("rules", [rule])
