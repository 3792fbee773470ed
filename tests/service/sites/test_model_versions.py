"""A site's models over the API and the command line: listing, choosing, going back, and the results
of its promises.
"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from models.identifiers import new_id
from models.judgement.scores import SPAM
from models.records import Site, SiteModelRecord, SiteScore
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, reading
from service.commands.main import main
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client
from tests.service.signed_in import SignedIn
from tests.worker.learning.stored import add_comment, add_model


def keep_model(
    version: str, *, parent: str | None = None, live: bool = False, **scores: Any
) -> str:
    """Add a model's row with the columns that lists and promises read."""
    card = {
        "version": version,
        "sha256": "0" * 64,
        "bytes": 1000,
        "made": "2026-11-23T12:00:00+00:00",
        "base": "base-aaaaaaaaaaaa",
        "parent": "the base",
        "decisions": {
            "approved": 20,
            "rejected": 30,
            "first": "2026-11-20T12:00:00+00:00",
            "last": "2026-11-23T11:00:00+00:00",
        },
        "languages": ["en"],
        "compared": {
            "rows": 30,
            "challenger": 0.2,
            "champion": 0.4,
            "how": "on 30 decisions",
            "measure": "log loss",
        },
        "figures": {"rejected found": 0.9, "approved held": 0.1},
        "went live": True,
        "why": "better than the previous model",
    }
    with begin() as session:
        site = session.execute(select(Site).where(Site.key == "demo")).scalar_one()
        row = SiteModelRecord(
            id=new_id(), site_id=site.id, version=version, sha256="", file=b"", weights=b""
        )
        row.card, row.seen, row.scores, row.parent = card, [], scores, parent
        session.add(row)
        if live:
            make_live(locked_score(session, site.id, SPAM), row.id)
    return row.id


@pytest.fixture
def two(data: object) -> None:
    first = keep_model("site-aaaaaaaaaaaa")
    keep_model("site-bbbbbbbbbbbb", parent=first, live=True)


def live() -> str | None:
    with reading() as session:
        return session.execute(
            select(SiteModelRecord.version).join(SiteScore, SiteScore.model == SiteModelRecord.id)
        ).scalar_one_or_none()


def test_going_back_leads_from_model_to_model_and_then_to_the_base(
    two: None, moderator: Caller
) -> None:
    listed = moderator.call("GET", "/models").json
    assert listed is not None
    assert [model["version"] for model in listed["models"]] == [
        "site-bbbbbbbbbbbb",
        "site-aaaaaaaaaaaa",
    ]
    assert [model["live"] for model in listed["models"]] == [True, False]
    assert moderator.call("POST", "/models/back").json["live"] == "site-aaaaaaaaaaaa"
    assert moderator.call("POST", "/models/back").json["live"] == "base"
    assert live() is None
    assert moderator.call("POST", "/models/back").status_code == 409


def test_owners_go_back_from_the_settings_page(two: None, client: Client) -> None:
    ann = SignedIn(client)
    page = ann.get("/settings?site=demo")
    assert "site-bbbbbbbbbbbb, trained on 20 approved and 30 rejected comments" in page
    assert "trained on 20 approved and 30 rejected comments" in page
    assert 'action="/console/sites/demo/models/back"' in page
    assert ann.form("/sites/demo/models/back", version="site-bbbbbbbbbbbb").status_code == 303
    assert live() == "site-aaaaaaaaaaaa"
    assert (
        ann.form("/sites/demo/models/back", version="site-bbbbbbbbbbbb").status_code == 409
    )  # a second click
    ann.form("/sites/demo/models/back", version="site-aaaaaaaaaaaa")
    assert "The base model scores this site" in ann.get("/settings?site=demo")


def test_any_model_that_is_kept_can_be_chosen(two: None, moderator: Caller) -> None:
    for version in ("site-aaaaaaaaaaaa", "base", "site-bbbbbbbbbbbb"):
        answer = moderator.call("PUT", "/models/live", json={"version": version})
        assert answer.json["live"] == version
    assert (
        moderator.call("PUT", "/models/live", json={"version": "site-cccccccccccc"}).status_code
        == 404
    )
    assert moderator.call("PUT", "/models/live", json={"version": "a\0b"}).status_code == 422
    assert moderator.call("PUT", "/models/live", json={}).status_code == 422


def test_one_command_goes_back(two: None) -> None:
    run = CliRunner()
    listed = run.invoke(main, ["model", "list", "--site", "demo"], env={"COLUMNS": "200"}).output
    assert "Live now: site-bbbbbbbbbbbb" in listed
    said = run.invoke(main, ["model", "back", "--site", "demo"])
    assert said.output == "site-aaaaaaaaaaaa scores the comments of demo from now on.\n"
    assert run.invoke(main, ["model", "use", "base", "--site", "demo"]).exit_code == 0
    assert live() is None
    refused = run.invoke(main, ["model", "back", "--site", "demo"])
    assert (refused.exit_code, "no earlier model" in refused.output) == (1, True)
    registering.add_site("other", ["https://other.example"])
    none_yet = run.invoke(main, ["model", "list", "--site", "other"]).output
    assert (
        none_yet == "The base model scores other. Greenroom trains a model for the site after 25 "
        "decisions by moderators.\n"
    )
    assert "no site 'nowhere'" in run.invoke(main, ["model", "list", "--site", "nowhere"]).output


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/models", None),
        ("PUT", "/models/live", {"version": "base"}),
        ("POST", "/models/back", None),
        ("POST", "/policy/replay", {}),
    ],
)
def test_models_and_replays_are_for_the_sites_own_admins(
    two: None, client: Client, method: str, path: str, body: object
) -> None:
    given = {"json": body} if body is not None else {}
    registering.add_site("other", ["https://other.example"])
    for site, scope in (("demo", "moderate"), ("other", "admin")):
        assert (
            Caller(client, accounts.create_key(site, scope)).call(method, path, **given).status_code
            == 403
        )
    assert client.open(f"/v1/sites/demo{path}", method=method, **given).status_code == 401
    assert live() == "site-bbbbbbbbbbbb"


def test_a_model_of_another_site_cannot_be_chosen(two: None, client: Client) -> None:
    registering.add_site("other", ["https://other.example"])
    key = accounts.create_key("other", "admin")
    answer = client.put(
        "/v1/sites/other/models/live",
        json={"version": "site-aaaaaaaaaaaa"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 404


def test_the_policy_shows_the_thresholds_of_its_promises(moderator: Caller) -> None:
    policy = moderator.call("GET", "/policy").json
    assert policy is not None
    assert policy["fitted"] is None
    policy["promises"]["good_held_back_one_in"] = 200
    promised = moderator.call("PUT", "/policy", json=policy).json
    assert promised is not None
    assert promised["fitted"]["reject_above"] is None
    assert "does not have its own model" in promised["fitted"]["why"][0]
    keep_model(
        "site-aaaaaaaaaaaa",
        live=True,
        good=[0.1] * 900,
        spam=[0.95] * 100,
        recent=[0.1],
        comments_a_day=1.0,
    )
    fitted = moderator.call("GET", "/policy").json["fitted"]
    assert (fitted["flag_above"], fitted["reject_above"]) == (0.5, 0.9)
    assert fitted["held_back"] == {"wrong": 0, "of": 900, "share": 0.0, "low": 0.0, "high": 0.00409}
    again = moderator.call("PUT", "/policy", json=moderator.call("GET", "/policy").json)
    assert again.status_code == 200


def test_an_owner_turns_learning_off_and_on_over_the_api_and_in_the_console(
    client: Client, moderator: Caller
) -> None:
    ann = SignedIn(client)
    assert moderator.call("GET", "/models").json["learns"]

    answer = moderator.call("PUT", "/models/learning", json={"learns": False})

    assert not answer.json["learns"]
    assert "Learning is off." in ann.get("/settings?site=demo")
    assert "turned learning off" in ann.get("/log")
    assert ann.form("/settings/demo/learning", learns="yes").status_code == 303
    assert moderator.call("GET", "/models?score=abuse").json["learns"]


def test_settings_say_why_a_new_model_waits_and_show_examples(
    client: Client, moderator: Caller
) -> None:
    ann = SignedIn(client)
    comment = add_comment("Die Fähre kam <b>spät</b>.", language="de")
    why = "of the comments that went live it would hold 9 of 40 'de' comments, and the live model 0"
    share = {"language": "de", "of": 40, "before": 0, "now": 9}
    traffic = {**share, "languages": [share], "examples": [comment], "passed": False}
    del traffic["language"]
    decisions = {"rejected": 20, "approved": 9, "first": "", "last": ""}
    card = {"version": "site-b", "why": why, "went live": False, "traffic": traffic}
    add_model(b"", version="site-b", card={**card, "decisions": decisions})

    page = ann.get("/settings?site=demo")

    assert "A newer model, site-b, did not go live" in page
    assert "Die Fähre kam &lt;b&gt;spät&lt;/b&gt;." in page
