"""The transparency report counts restrictions, appeals and notices, in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from models.judgement.policy import Verdict
from models.records import Notice, Site
from models.settling.settling import settle
from models.store.database import begin, now
from service.commands.main import main
from service.moderation.transparency import Period, period
from tests.caller import Caller, Client, posted
from tests.models.settling.deciding import decide
from tests.service.readers.test_appeals import appeal, machine
from tests.service.signed_in import SignedIn


@pytest.fixture
def history(client: Client) -> None:
    """Two comments that people rejected, one that a machine rejected, one spam; three appeals, and
    two notices.
    """
    by_people, upheld, by_machine, spam = (posted(client, body=f"Number {n}") for n in range(4))
    with begin() as session:
        settle(session, [machine(by_machine, Verdict.REJECT, "words")])
        settle(session, [machine(upheld, Verdict.FLAG, "abuse")])
    decide(by_people, "reject", reason="abuse")
    decide(upheld, "reject", reason="abuse")
    decide(spam, "reject", reason="spam")
    for comment in (by_people, upheld, by_machine):
        assert appeal(client, comment).status_code == 201
    with time_machine.travel(now() + timedelta(hours=2)):
        decide(by_people, "approve")
        decide(upheld, "reject", reason="abuse")
    with begin() as session:
        site = session.scalars(select(Site.id).where(Site.key == "demo")).one()
        for hours in (3, None):
            session.add(notice(site, by_people, hours))


def notice(site: int, comment: str, hours: int | None) -> Notice:
    closed = now() + timedelta(hours=hours) if hours else None
    return Notice(
        site_id=site,
        comment_id=comment,
        category="VIOLENCE",
        explanation="",
        opened_at=now(),
        due_at=now(),
        outcome="kept" if hours else None,
        closed_at=closed,
    )


def figures(moderator: Caller, query: str = "") -> Any:
    answer = moderator.call("GET", f"/transparency{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.usefixtures("history")
def test_the_report_counts_what_was_restricted_and_appealed(moderator: Caller) -> None:
    found = figures(moderator)
    restrictions = found["restrictions"]
    assert restrictions["total"] == 4  # one was rejected twice
    assert restrictions["by_source"] == {"own_initiative": 4, "report": 0, "notice": 0}
    assert restrictions["by_detection"] == {"abuse": 2, "words": 1, "people": 1}
    assert (restrictions["detected_by_machine"], restrictions["decided_by_machine"]) == (3, 1)
    assert [(each["rule"], each["restrictions"]) for each in restrictions["by_rule"]] == [
        ("abuse", 3),
        ("other", 1),
    ]
    assert found["rejected_as_spam"] == 1
    appeals = found["appeals"]
    counts = [appeals[name] for name in ("received", "open", "upheld", "reversed", "in_time")]
    assert counts == [3, 1, 1, 1, 2]
    assert appeals["median_hours"] == pytest.approx(2, abs=0.1)
    notices = found["notices"]
    assert (notices["received"], notices["open"], notices["kept"]) == (2, 1, 1)
    assert notices["median_hours"] == pytest.approx(3, abs=0.1)
    assert [each["category"] for each in found["notices_by_category"]] == ["VIOLENCE"]
    assert found["automation"]["rejected"] == 1


@pytest.mark.usefixtures("history")
def test_another_period_counts_nothing(moderator: Caller) -> None:
    found = figures(moderator, "?from=2020-01-01&to=2020-12-31")
    assert (found["from"], found["to"]) == ("2020-01-01", "2020-12-31")
    assert found["restrictions"]["total"] == found["appeals"]["received"] == 0
    assert found["appeals"]["median_hours"] is None


@pytest.mark.usefixtures("history")
def test_the_command_prints_json_or_csv(moderator: Caller) -> None:
    printed = CliRunner().invoke(main, ["transparency", "--site", "demo"])
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.stdout) == figures(moderator)
    table = CliRunner().invoke(main, ["transparency", "--site", "demo", "--format", "csv"])
    lines = dict(csv.reader(io.StringIO(table.stdout)))
    assert lines["appeals reversed"] == "1"
    assert lines["notices_by_category VIOLENCE received"] == "2"
    assert lines["automation wrongly_held low"] == ""
    served = moderator.call("GET", "/transparency?format=csv").text
    assert served.splitlines() == table.stdout.splitlines()


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "2026-02-01", "--to", "2026-01-01"], "must not be after"),
        (["--from", "2020-01-01", "--to", "2026-01-01"], "at most three years"),
        (["--from", "yesterday"], "does not match the format"),
    ],
)
def test_the_command_explains_a_wrong_period(options: list[str], message: str) -> None:
    printed = CliRunner().invoke(main, ["transparency", "--site", "demo", *options])
    assert printed.exit_code != 0
    assert message in printed.output


def test_the_command_explains_an_unknown_site(client: Client) -> None:
    printed = CliRunner().invoke(main, ["transparency", "--site", "nowhere"])
    assert printed.exit_code != 0
    assert "nowhere" in printed.output


def test_a_report_covers_a_year_by_default() -> None:
    assert period(None, None, date(2026, 3, 31)) == Period(date(2025, 3, 31), date(2026, 3, 31))
    assert period(date(2026, 1, 1), None, date(2026, 3, 31)).first == date(2026, 1, 1)


@pytest.mark.usefixtures("history")
def test_the_console_shows_the_report_and_both_files(client: Client, moderator: Caller) -> None:
    ann = SignedIn(client, role="viewer")
    page = ann.get("/transparency?site=demo")
    assert "Reversed: the comment was published</td><td>1<" in page
    assert "No insults, threats or hate" in page
    assert ann.client.get("/console/transparency.json").json == figures(moderator)
    assert "appeals reversed,1" in ann.client.get("/console/transparency.csv").text
    assert ann.client.get("/console/transparency?from=x").status_code == 422
    assert ann.client.get("/console/transparency?site=other").status_code == 404
    assert ann.client.get("/console/transparency.xml").status_code == 404
