"""When a model or a setting changes the queue, moderators get a sentence about it, with an undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from models.identifiers import new_id
from models.judgement.scores import SPAM
from models.records import Site, SiteModelRecord, SiteScore
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, now, reading
from service.moderation.news import MANY
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn


def test_news_of_a_colleagues_settings_can_be_undone(client: Client, moderator: Caller) -> None:
    ann = SignedIn(client)
    ben = SignedIn(client, "ben@paper.example", role="owner")
    kim = SignedIn(client, "kim@paper.example", role="moderator")
    ben.form("/settings/demo", **{"do": "save", "links.max_links": "3", "version": "1"})
    told = "ben@paper.example changed “Links allowed in one comment” from 2 to 3."
    assert told in ann.get("/")
    assert "/console/settings/demo/back" in ann.get("/")
    assert told in kim.get("/")
    assert "/console/settings/demo/back" not in kim.get("/")
    assert told not in ben.get("/")
    kim.form("/news/read")
    assert told not in kim.get("/")
    assert kim.form("/settings/demo/back", version="2").status_code == 403
    assert ann.form("/settings/demo/back", version="1").status_code == 409
    assert ann.form("/settings/demo/back", version="2").status_code == 303
    policy: Any = moderator.call("GET", "/policy").json
    assert (policy["links"]["max_links"], policy["version"]) == (2, 3)
    assert "ann@paper.example changed “Links allowed in one comment” from 3 to 2." in kim.get("/")
    with time_machine.travel(now() + timedelta(hours=11)):
        assert "changed “Links" in kim.get("/")


def test_every_change_of_the_settings_is_news_and_only_the_latest_has_an_undo(
    client: Client,
) -> None:
    ann = SignedIn(client)
    ben = SignedIn(client, "ben@paper.example", role="owner")
    for version in (1, 2, 3, 4):
        most = str(2 + version)
        ben.form("/settings/demo", **{"links.max_links": most, "version": str(version)})
    page = ann.get("/")
    for was in (2, 3, 4, 5):
        assert f"“Links allowed in one comment” from {was} to {was + 1}." in page
    assert page.count("/console/settings/demo/back") == 1
    assert "<summary>1 more</summary>" in page


def test_many_decisions_at_once_are_one_item_of_news(client: Client) -> None:
    ids = [posted(client, body=f"{n} {LINKS}", email=f"r{n}@example.org") for n in range(MANY)]
    screen_all()
    ann = SignedIn(client)
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    ben.decide(ids[0], verdict="reject", batch=new_id())
    batch = new_id()
    ben.decide(*ids[1:], verdict="reject", reason="spam", batch=batch)
    assert "ben@paper.example rejected" not in ann.get("/")  # too few to be news
    ben.decide(ids[0], verdict="reject", reason="spam", batch=batch, version=3)
    page = ann.get("/")
    assert page.count(f"ben@paper.example rejected {MANY} comments as spam.") == 1
    assert f'href="/console/log?batch={batch}"' in page
    assert f"rejected {MANY} comments" not in ben.get("/")


def test_the_policy_goes_back_and_forth_by_key(moderator: Caller) -> None:
    assert moderator.call("POST", "/policy/back").status_code == 409
    moderator.call("PATCH", "/policy", json={"links": {"max_links": 9}})
    assert moderator.call("POST", "/policy/back", json={"version": 1}).status_code == 409
    back: Any = moderator.call("POST", "/policy/back", json={"version": 2}).json
    assert back["links"]["max_links"] == 2
    again: Any = moderator.call("POST", "/policy/back").json
    assert again["links"]["max_links"] == 9
    versions: Any = moderator.call("GET", "/policy/versions").json
    assert [each["version"] for each in versions["versions"]] == [4, 3, 2]
    assert {each["by"].partition(":")[0] for each in versions["versions"]} == {"key"}


def test_news_of_a_live_model_say_what_it_flags_and_lead_back(
    client: Client, moderator: Caller
) -> None:
    ann = SignedIn(client)
    card = {"version": "m1", "flags": {"of": 1000, "before": 40, "now": 43}}
    with begin() as session:
        site = session.scalars(select(Site)).one()
        numbers = {"file": b"", "weights": b"", "sha256": "0" * 64, "seen": [], "scores": {}}
        session.add(
            made := SiteModelRecord(
                id=new_id(), site_id=site.id, version="m1", card=card, **numbers
            )
        )
        session.flush()
        make_live(locked_score(session, site.id, SPAM), made.id)
    page = ann.get("/")
    assert (
        "A new spam model went live; it would have held 3 more of the last 1,000 comments." in page
    )
    assert ann.form("/sites/demo/models/back", version="m0").status_code == 409
    assert ann.form("/sites/demo/models/back", version="m1").status_code == 303
    with reading() as session:
        assert session.scalars(select(SiteScore.model)).one() is None
    assert "went live" not in ann.get("/")
    assert "went back from the spam model m1 to base" in ann.get("/log")
    assert ann.form("/sites/demo/models/back").status_code == 409
