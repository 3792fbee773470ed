"""When a model or a setting changes the queue, moderators are told in a sentence, with its undo
beside it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from models.identifiers import new_id
from models.judgement.policy import LinksPolicy, Policy, WordsPolicy
from models.records import Site, SiteModelRecord
from models.store.database import begin, now, reading
from service.moderation.news import _leaves, told_changes
from service.sites.policy_words import NAMES, SAID
from tests.caller import Caller, Client
from tests.service.signed_in import SignedIn

LINKS = "“Links that are fine in one comment”"


@pytest.mark.parametrize(
    ("becomes", "sentence"),
    [
        ({}, "nothing, but saved the settings"),
        ({"links": LinksPolicy(max_links=3)}, f"{LINKS} from 2 to 3"),
        ({"moderation": "before", "links": LinksPolicy(max_links=3)},
         f"“New comments” from {SAID['after']} to {SAID['before']} and {LINKS} from 2 to 3"),
        (
            {"words": WordsPolicy(plurals=False)},
            "“Also find a word with one plural ending: casinos, boxes, lotteries” from yes to no",
        ),
        ({"words": WordsPolicy(blocked=("casino", "pills"))}, "“Words that reject a comment” (2 added, 0 removed)"),
    ],
)  # fmt: skip
def test_a_change_of_settings_is_said_in_words(becomes: dict[str, Any], sentence: str) -> None:
    assert told_changes(Policy(), Policy(**becomes)) == sentence


def test_every_setting_has_a_name() -> None:
    assert set(_leaves(Policy())) <= set(NAMES)


def test_a_colleagues_settings_are_told_and_taken_back(client: Client, moderator: Caller) -> None:
    ann = SignedIn(client)
    ben = SignedIn(client, "ben@paper.example", role="owner")
    kim = SignedIn(client, "kim@paper.example", role="moderator")
    ben.form("/settings/demo", **{"do": "save", "links.max_links": "3", "version": "1"})
    told = "ben@paper.example changed “Links that are fine in one comment” from 2 to 3."
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
    assert "ann@paper.example changed “Links that are fine in one comment” from 3 to 2." in kim.get(
        "/"
    )
    with time_machine.travel(now() + timedelta(hours=11)):
        assert "changed “Links" in kim.get("/")


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


def test_a_model_that_went_live_is_told_with_what_it_flags_and_gone_back_from(
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
        site.model = made.id
    page = ann.get("/")
    assert (
        "A new spam model went live; it would have flagged 3 more of the last 1,000 comments."
        in page
    )
    assert ann.form("/sites/demo/models/back", version="m0").status_code == 409
    assert ann.form("/sites/demo/models/back", version="m1").status_code == 303
    with reading() as session:
        assert session.scalars(select(Site.model)).one() is None
    assert "went live" not in ann.get("/")
    assert "went back to the spam model base" in ann.get("/log")
    assert ann.form("/sites/demo/models/back").status_code == 409
