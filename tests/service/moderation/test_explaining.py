"""`GET …/explanation`: what moved a score, by the model that gave it, and only for those who may
know.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from math import log
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from models.classifier import context
from models.classifier.explanation import BASE_THINKS, explain
from models.classifier.model import base_model
from models.classifier.site_model import COLUMNS, TEXT_COLUMNS, SiteModel
from models.identifiers import new_id
from models.judgement.scores import ABUSE, SPAM
from models.records import Comment, Screening, Site, SiteModelRecord, SiteScore
from models.settling.site_scores import locked_score, make_live
from models.store.database import begin, reading
from service.console.scores import marked
from service.moderation import explaining
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import SignedIn
from tests.worker.checks.conftest import INSULTS, CountingModel

BODY = "Check out my new channel 😀 and subscribe, my CHANNEL is free!"


def explanation(moderator: Caller, comment: str, status: int = 200) -> Any:
    answer = moderator.call("GET", f"/comments/{comment}/explanation")
    assert answer.status_code == status, answer.text
    return answer.json


def score(moderator: Caller, comment: str) -> dict[str, Any]:
    [spam] = [found for found in moderator.record(comment)["evidence"] if found["check"] == "spam"]
    return dict(spam)


def screened(moderator: Caller, **fields: Any) -> str:
    comment = posted(moderator.client, **{"body": BODY, **fields})
    screen_all()
    return comment


def site_model(version: str, *, trust: float = 1.0) -> None:
    """Add a live site model that weighs the base model's opinion and the counts."""
    weights = np.zeros(COLUMNS, np.float32)
    weights[TEXT_COLUMNS] = 2 * trust
    weights[TEXT_COLUMNS + 2 + context.COUNTS.index("no form token")] = 5
    model = SiteModel(weights, -0.5, ["en", "id", "und"], base_model().version, version)
    row = {"id": new_id(), "version": version, "sha256": "", "file": b"", "weights": model.packed()}
    scores = {"good": [], "spam": [], "recent": [], "comments_a_day": 0.0}
    with begin() as session:
        site = session.execute(select(Site).where(Site.key == "demo")).scalar_one()
        session.add(
            SiteModelRecord(**row, site_id=site.id, card={}, seen=[], scores=scores, parent=None)
        )
        session.flush()
        make_live(locked_score(session, site.id, SPAM), row["id"])


def adds_up(found: dict[str, Any], probability: float) -> None:
    listed = sum(part["log_odds"] for part in found["up"] + found["down"])
    assert found["intercept"] + listed + found["rest"] == pytest.approx(found["log_odds"], abs=1e-6)
    assert found["log_odds"] == pytest.approx(log(probability / (1 - probability)), abs=1e-6)


def test_the_base_models_score_is_taken_apart_with_places_in_the_text(moderator: Caller) -> None:
    comment = screened(moderator)
    found = explanation(moderator, comment)
    adds_up(found, score(moderator, comment)["score"])
    assert found["version"] == found["judged_by"] == score(moderator, comment)["version"]
    [channel] = [part for part in found["up"] if part.get("word") == "channel"]
    assert [BODY[start:end] for start, end in channel["spans"]] == ["channel", "CHANNEL"]
    assert 0 < channel["share"] < 1


@pytest.mark.parametrize("own", [False, True])
def test_a_link_to_the_site_itself_moves_nothing_in_the_explanation_either(
    moderator: Caller, own: bool
) -> None:
    if own:
        site_model("site-aaaaaaaaaaaa")
    comment = screened(
        moderator, body="As I wrote at https://paper.example/bridge?from=mail it leaks"
    )
    found = explanation(moderator, comment)
    adds_up(found, score(moderator, comment)["score"])
    assert "has a link" not in {part.get("feature") for part in found["up"] + found["down"]}


def test_a_sites_own_model_explains_the_base_models_opinion_and_the_counts(
    moderator: Caller,
) -> None:
    site_model("site-aaaaaaaaaaaa")
    comment = screened(moderator)
    found = explanation(moderator, comment)
    adds_up(found, score(moderator, comment)["score"])
    assert found["version"] == "site-aaaaaaaaaaaa"
    assert [part["feature"] for part in found["up"]] == [BASE_THINKS, "no form token"]


def test_the_model_that_judged_explains_as_long_as_it_is_kept_and_then_the_current_one(
    moderator: Caller,
) -> None:
    by_base = screened(moderator)
    site_model("site-aaaaaaaaaaaa")
    by_first = screened(moderator, body=f"{BODY} Really.", email="else@example.org")
    site_model("site-bbbbbbbbbbbb", trust=3.0)
    assert explanation(moderator, by_base)["version"] == base_model().version
    assert explanation(moderator, by_first)["version"] == "site-aaaaaaaaaaaa"
    with begin() as session:
        session.execute(
            delete(SiteModelRecord).where(SiteModelRecord.version == "site-aaaaaaaaaaaa")
        )
    found = explanation(moderator, by_first)
    assert (found["version"], found["judged_by"]) == ("site-bbbbbbbbbbbb", "site-aaaaaaaaaaaa")
    with begin() as session:
        session.execute(update(SiteScore).values(model=None))
    assert explanation(moderator, by_first)["version"] == base_model().version


def test_a_comment_without_a_score_is_not_explained(moderator: Caller) -> None:
    waiting = posted(moderator.client, body=BODY)
    assert "still being checked" in explanation(moderator, waiting, 409)["detail"]


def test_in_a_language_that_the_model_does_not_know_only_counts_explain_the_score(
    moderator: Caller,
) -> None:
    comment = screened(
        moderator,
        body=(
            "Kemarin saya pergi ke pelabuhan bersama keluarga, lihat https://feri.example/jadwal "
            "kapal feri sering terlambat sekali."
        ),
    )
    found = explanation(moderator, comment)
    adds_up(found, score(moderator, comment)["score"])
    assert "has a link" in {part["feature"] for part in found["up"]}
    assert not [part for part in found["up"] + found["down"] if "word" in part]


def test_many_explanations_at_once_leave_the_other_threads_to_readers(
    moderator: Caller,
) -> None:
    comment = screened(moderator)
    with ExitStack() as others:
        for _ in range(explaining.MOST_AT_ONCE):
            others.enter_context(explaining._at_work)
        answer = moderator.call("GET", f"/comments/{comment}/explanation")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert explanation(moderator, comment)["up"]


def test_a_blind_sample_is_explained_once_it_is_decided(moderator: Caller) -> None:
    moderator.call("PATCH", "/policy", json={"sample": {"share": 1}})
    comment = screened(moderator)
    assert "blind sample" in explanation(moderator, comment, 409)["detail"]
    moderator.decide(comment, "approve")
    assert explanation(moderator, comment)["up"]


def test_erased_comments_and_those_of_other_sites_are_not_found(
    client: Client, moderator: Caller
) -> None:
    registering.add_site("other", ["https://other.example"])
    comment = screened(moderator)
    key = {"Authorization": f"Bearer {accounts.create_key('other', 'admin')}"}
    assert (
        client.get(f"/v1/sites/other/comments/{comment}/explanation", headers=key).status_code
        == 404
    )
    explanation(moderator, new_id(), 404)
    explanation(moderator, "nonsense", 404)
    moderator.call("DELETE", f"/comments/{comment}")
    explanation(moderator, comment, 404)


def test_the_console_marks_the_words_and_keeps_quiet_about_a_blind_sample(
    moderator: Caller,
) -> None:
    script = f"{BODY} <script>alert(1)</script>"
    comment = screened(moderator, body=script)
    ann = SignedIn(moderator.client, role="viewer")
    page = ann.get(f"/items/{comment}/score")
    assert re.search(
        (
            r'<mark class="moved up" title="Towards spam: \d+% of the total effect on '
            r'the score">CHANNEL</mark>'
        ),
        page,
    )
    assert "&lt;" in page
    assert "<script" not in page.partition("<main")[2]
    assert f"/console/items/{comment}/score" in ann.get(f"/items/{comment}")
    moderator.call("PATCH", "/policy", json={"sample": {"share": 1}})
    blind = screened(moderator, body=f"{BODY} Really.", email="else@example.org")
    assert ann.client.get(f"/console/items/{blind}/score").status_code == 409
    assert f"/console/items/{blind}/score" not in ann.get(f"/items/{blind}")


INSULT = "You idiot, this bridge was never safe. Idiot!"


@pytest.fixture
def insults(monkeypatch: pytest.MonkeyPatch) -> CountingModel:
    """A small abuse model in the place of the real one."""
    model, of_spam = CountingModel("idiot", "insults-1"), base_model()
    monkeypatch.setattr("models.classifier.model.loaded", {ABUSE: model, SPAM: of_spam}.__getitem__)
    monkeypatch.setattr("models.classifier.attributes.base_attributes", lambda score: INSULTS)
    return model


def test_the_abuse_score_is_explained_by_its_own_model(
    moderator: Caller, insults: CountingModel
) -> None:
    comment = screened(moderator, body=INSULT)
    [evidence] = [
        found for found in moderator.record(comment)["evidence"] if found["check"] == "abuse"
    ]
    assert evidence["found"] == {"insult": "reads like an insult"}
    assert evidence["detail"].endswith("probably abusive (insult)")
    answer = moderator.call("GET", f"/comments/{comment}/explanation?score=abuse")
    adds_up(answer.json, evidence["score"])
    assert (answer.json["score"], answer.json["version"]) == ("abuse", "insults-1")
    [word] = answer.json["up"]
    assert [INSULT[start:end] for start, end in word["spans"]] == ["idiot", "Idiot"]
    assert explanation(moderator, comment)["score"] == "spam"
    wrong = moderator.call("GET", f"/comments/{comment}/explanation?score=anger")
    assert wrong.status_code == 422


def test_an_abusive_comment_is_held_and_shows_why(
    moderator: Caller, insults: CountingModel
) -> None:
    insult = screened(moderator, body=INSULT)
    record = moderator.record(insult)
    assert record["status"] == "flagged"
    assert record["decisions"][0]["reasons"][0].startswith("abuse score 0.")
    spam = screened(moderator, email="else@example.org")
    ann = SignedIn(moderator.client, role="viewer")
    page = ann.get(f"/items/{insult}")
    assert "Why this abuse score" in page
    assert f"/console/items/{insult}/score?of=abuse" in page
    shown = ann.get(f"/items/{insult}/score?of=abuse")
    assert re.search(r'<mark class="moved up" title="Towards abuse: \d+% of', shown)
    assert "raise the abuse score" in shown
    assert ann.client.get(f"/console/items/{insult}/score?of=anger").status_code == 404
    with reading() as session:
        risks = dict(session.execute(select(Comment.id, Comment.risk)).all())
    assert risks[insult] > 0.5
    assert risks[spam] == pytest.approx(score(moderator, spam)["score"])


def test_a_comment_from_before_the_abuse_score_has_none_to_explain(
    moderator: Caller, insults: CountingModel
) -> None:
    comment = screened(moderator)
    with begin() as session:
        screening = session.scalars(select(Screening)).one()
        screening.evidence = [item for item in screening.evidence if item["check"] != "abuse"]
    answer = moderator.call("GET", f"/comments/{comment}/explanation?score=abuse")
    assert (answer.status_code, "before Greenroom had the abuse score" in answer.text) == (
        409,
        True,
    )


def test_the_pieces_are_the_whole_text() -> None:
    why = explain(base_model(), BODY).as_json()
    pieces = list(marked(BODY, up=why["up"], down=why["down"]))
    assert "".join(piece.text for piece in pieces) == BODY
    assert {piece.text for piece in pieces if piece.way == "up"} >= {
        "channel",
        "CHANNEL",
        "subscribe",
    }


def test_the_web_process_does_not_load_numpy_before_somebody_asks() -> None:
    code = (
        "import sys, service.app; print(sorted({'numpy', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
