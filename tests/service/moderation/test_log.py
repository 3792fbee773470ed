"""The log: decisions by people and everything else, newest first, through one filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.identifiers import first_id
from models.records import Act, Site
from models.store.database import begin, reading
from service.moderation.log import KINDS, Line, LogFilter, lines, note_act
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
    """An act of that time: its id tells the time, as the ids of real acts do."""
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
    assert found[1].what == "saved the settings, version 2"


@pytest.mark.parametrize("kind", ["decisions", "threads", "settings", "people", "keys"])
def test_a_kind_shows_its_own_lines_only(moderator: Caller, held: str, kind: str) -> None:
    moderator.decide(held, "approve")
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})
    moderator.call("PUT", "/policy", json={"links": {"max_links": 3}, "version": 1})
    act("invited ben", at=datetime.now(UTC))
    assert kind in KINDS
    assert [line.kind for line in read(kind=kind)] == [kind]


def test_what_the_policy_decides_by_itself_is_not_in_the_log(client: Client) -> None:
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
    assert line.what == "saved the settings, version 3"


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


def test_what_was_done_to_an_account_is_for_its_owner_alone(data: object) -> None:
    with begin() as session:
        note_act(session, "moderator:ann", "people", "turned on a second factor")
        note_act(session, "moderator:ann", "people", "invited ben", site_id=site_id())
    assert [line.what for line in read()] == ["invited ben"]
    assert len(read(own="moderator:ann")) == 2
    assert len(read(own="moderator:ben")) == 1
