"""A site learns from its moderators: from what, when, what goes live, and what is forgotten."""

from __future__ import annotations

import random
from datetime import timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from bench.queue_only import Written, write
from models.classifier.model import base_model
from models.classifier.site_model import TEXT_COLUMNS, Seen, SiteModel, matrix
from models.classifier.training import site_model as site_training
from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.judgement.policy import Policy
from models.judgement.scores import SPAM
from models.records import Comment, Review, Site, SiteModelRecord
from models.settling.labels import labels
from models.settling.site_scores import live_model, live_models, locked_score, make_live
from models.store.database import begin, now, reading
from tests.caller import Caller, Client, posted, screen_all
from tests.harbour_in_indonesian import GAMBLING, LETTERS
from tests.worker.learning.stored import add_comment, add_screening
from worker.checks.scores import Batch, judge
from worker.learning.learner import owe_learning
from worker.learning.models_in_memory import learned_by_score
from worker.learning.traffic import rule_of
from worker.learning.training import learn


def site() -> Site:
    with reading() as session:
        return session.execute(select(Site)).scalar_one()


def live() -> str | None:
    """Return the id of the model that is live."""
    with reading() as session:
        return live_model(session, site().id, SPAM)


def models() -> list[SiteModelRecord]:
    """Return the models, the oldest first."""
    with reading() as session:
        return list(session.execute(select(SiteModelRecord).order_by(SiteModelRecord.id)).scalars())


def rest() -> None:
    """Pretend that the last training was more than a minute ago."""
    with begin() as session:
        session.execute(update(Site).values(learned_at=now() - timedelta(minutes=2)))


def due() -> None:
    rest()
    with begin() as session:
        session.execute(update(Site).values(learn_due=now()))


def taught(moderator: Caller, bodies: list[tuple[str, str]]) -> list[str]:
    """Add comments that were posted, screened, and decided as given."""
    ids = [
        posted(moderator.client, body=body, email=f"reader{n}@paper.example")
        for n, (body, _) in enumerate(bodies)
    ]
    screen_all()
    for comment, (_, verdict) in zip(ids, bodies, strict=True):
        reason = "spam" if verdict == "reject" else None
        assert moderator.decide(comment, verdict, reason=reason).status_code == 201
    return ids


def draw_at_random(comments: list[str]) -> None:
    """Pretend that the blind sample asked for the decisions on these comments."""
    with begin() as session:
        for comment in comments:
            drawn = {"comment_id": comment, "cause": "sampled", "propensity": 0.5}
            before = now() - timedelta(days=1)
            session.add(Review(site_id=1, opened_at=before, closed_at=now(), **drawn))
        session.execute(update(Review).values(propensity=0.5))


def quirk(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Return that many different texts, every other one gambling spam."""
    chosen = random.Random(seed)
    spam, ham = chosen.sample(GAMBLING, count), chosen.sample(LETTERS, count)
    return [(spam[n], "reject") if n % 2 else (ham[n], "approve") for n in range(count)]


def test_learning_is_due_with_every_25th_decision_and_at_most_once_a_minute(
    moderator: Caller,
) -> None:
    texts = quirk(52)
    ids = taught(moderator, texts[:24])
    moderator.decide(posted(moderator.client, body="I can't tell."), "flag")
    assert site().learn_due is None
    assert learn(site().id) is None
    taught(moderator, [texts[24]])
    assert site().learn_due is not None
    version = learn(site().id)
    assert version is not None
    assert (site().learn_due, site().fresh_decisions) == (None, 0)
    taught(moderator, texts[25:50])
    assert site().learn_due is not None
    assert learn(site().id) is None  # within the minute
    assert site().learn_due is not None
    rest()
    assert learn(site().id) not in {None, version}
    assert models()[-1].seen[:24] == ids
    assert learn(site().id) is None  # nothing is due


def test_labels_are_the_standing_decisions_of_humans(moderator: Caller) -> None:
    approved, rejected, undone, flagged, erased, changed, untouched = (
        posted(moderator.client, body=f"A comment of its own, number {n}") for n in range(7)
    )
    screen_all()
    moderator.decide(approved, "approve")
    moderator.decide(rejected, "reject", reason="spam")
    moderator.decide(undone, "reject")
    moderator.undo(undone)
    moderator.decide(flagged, "approve")
    moderator.decide(flagged, "flag")
    moderator.decide(erased, "reject")
    moderator.call("DELETE", f"/comments/{erased}")
    moderator.decide(changed, "reject")
    moderator.decide(changed, "approve")
    moderator.decide(changed, "reject")
    moderator.undo(changed)
    with reading() as session:
        found = labels(session, site().id)
    assert [(label.comment, label.lessons[SPAM]) for label in found] == [
        (approved, False),
        (rejected, True),
        (changed, False),
    ]
    assert all(label.context["context"] for label in found)
    assert untouched not in {label.comment for label in found}


def test_a_card_says_where_a_model_comes_from_and_which_bytes_it_is(moderator: Caller) -> None:
    taught(moderator, quirk(30))
    assert learn(site().id)
    [record] = models()
    model, card = SiteModel.unpacked(record.weights), record.card
    assert (model.version, model.base) == (record.version, base_model().version)
    assert card["version"] == record.version
    assert card["sha256"] == record.sha256 == sha256(record.weights).hexdigest()
    assert card["bytes"] == len(record.weights)
    assert record.file == b""
    assert card["decisions"] | {"first": "", "last": ""} == {
        "rejected": 15,
        "approved": 15,
        "first": "",
        "last": "",
    }
    assert card["parent"] == card["base"]
    assert card["languages"] == ["id"]


def test_the_score_names_the_sites_model_and_a_worker_takes_up_a_new_one_at_once(
    moderator: Caller,
) -> None:
    before = posted(moderator.client, body=GAMBLING[0])
    screen_all()
    assert evidence(moderator, before)["outcome"] == "abstained"
    taught(moderator, quirk(50))
    version = learn(site().id)
    after = posted(moderator.client, body=GAMBLING[5], email="someone@else.example")
    screen_all()
    found = evidence(moderator, after)
    assert (found["version"], found["outcome"]) == (version, "found")
    assert "this site's moderators" in found["detail"]


def text_columns(text: str) -> list[int]:
    """Return the columns of a site's model for the words of this text."""
    row = matrix([Seen(text, None, {})])
    columns: list[int] = row[:, :TEXT_COLUMNS].indices.tolist()
    return columns


def evidence(moderator: Caller, comment: str) -> Any:
    return next(item for item in moderator.record(comment)["evidence"] if item["check"] == "spam")


def test_an_erased_comments_words_are_gone_from_the_next_model(moderator: Caller) -> None:
    secret = "Xylophonquartz verschollen brumbelfitz kwijibo zwetschgendatschi"
    [erased] = taught(moderator, [(secret, "reject")])
    taught(moderator, quirk(40))
    first = learn(site().id)
    assert first is not None
    others = {column for text in (*GAMBLING, *LETTERS) for column in text_columns(text)}
    own = [column for column in text_columns(secret) if column not in others]
    assert len(own) > 50
    assert SiteModel.unpacked(models()[-1].weights).weights[own].any()

    assert moderator.call("DELETE", f"/comments/{erased}").status_code == 204
    assert site().learn_due is not None
    rest()
    assert learn(site().id) is not None
    [record] = models()  # nobody can go back to a model that has seen it
    assert moderator.call("POST", "/models/back").json["live"] == "base"
    moderator.call("PUT", "/models/live", json={"version": record.version})
    assert not SiteModel.unpacked(record.weights).weights[own].any()
    assert live() == record.id
    assert erased not in record.seen
    assert record.card["left"] == {
        "last seen by": first,
        "count": 1,
        "comments": [{"comment": erased, "why": "erased"}],
    }


def test_with_too_few_left_after_an_erasure_the_base_model_scores_again(moderator: Caller) -> None:
    ids = taught(moderator, quirk(25))
    assert learn(site().id)
    moderator.call("DELETE", f"/comments/{ids[0]}")
    rest()
    assert learn(site().id) == "base"
    assert (live(), site().learn_due) == (None, None)


def test_a_decision_that_was_undone_is_named_in_the_next_card(moderator: Caller) -> None:
    ids = taught(moderator, quirk(30))
    first = learn(site().id)
    moderator.undo(ids[3])
    due()
    learn(site().id)
    left = models()[-1].card["left"]
    assert (left["last seen by"], left["comments"]) == (
        first,
        [{"comment": ids[3], "why": "undone"}],
    )


def test_a_challenger_that_loses_on_the_newest_decisions_does_not_go_live(
    moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moderators changed their minds: their newest decisions contradict the older ones."""
    monkeypatch.setattr(site_training, "CROSS_VALIDATED", 60)
    english = [
        (
            "Click here for cheap pills and free money, http://pills{n}.example",
            "I walked along the river, number {n}.",
        ),
        (
            "Subscribe to my channel for free cards {n} http://gift.example",
            "The ferry was {n} minutes late again.",
        ),
    ]
    old = [
        (text.format(n=n), verdict)
        for n in range(12)
        for pair in english
        for text, verdict in zip(pair, ("approve", "reject"), strict=True)
    ]
    new = [
        (text.format(n=n), verdict)
        for n in range(12, 15)
        for pair in english
        for text, verdict in zip(pair, ("reject", "approve"), strict=True)
    ]
    draw_at_random(taught(moderator, [*old, *new]))
    assert learn(site().id) is None
    [record] = models()
    assert live() is None
    assert not record.card["went live"]
    assert record.card["compared"]["how"].startswith("on the newest")


def test_after_a_change_of_the_base_model_it_scores_until_the_site_has_learned_again(
    moderator: Caller,
) -> None:
    taught(moderator, quirk(26))
    first = learn(site().id)
    owe_learning(now())
    assert site().learn_due is None
    [record] = models()
    model = SiteModel.unpacked(record.weights)
    model.base = "an older one"
    row = SiteModelRecord(
        **{c.key: getattr(record, c.key) for c in SiteModelRecord.__table__.columns}
    )
    row.id, row.version, row.weights = new_id(), "site-older", model.packed()
    row.card = {**record.card, "base": model.base}
    with begin() as session:
        session.add(row)
        make_live(locked_score(session, site().id, SPAM), row.id)
    comment = posted(
        moderator.client,
        body="The ferry was late again, and nobody told the passengers on the pier.",
    )
    screen_all()
    assert evidence(moderator, comment)["version"] == base_model().version
    owe_learning(now())
    assert site().learn_due is not None
    rest()
    assert learn(site().id) not in {None, first}


def test_the_second_process_does_nothing(moderator: Caller) -> None:
    taught(moderator, quirk(25))
    with begin() as session:
        session.execute(
            update(Site).values(learn_due=now() + timedelta(seconds=100))
        )  # another process's lease
    assert learn(site().id) is None
    assert models() == []


def test_only_the_newest_models_are_kept_and_the_live_one(
    moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.learning.training.KEPT", 2)
    taught(moderator, quirk(26))
    versions = []
    for _ in range(4):
        due()
        versions.append(learn(site().id))
    assert [record.version for record in models()] == versions[-2:]


def test_no_site_learns_from_another(client: Client, moderator: Caller) -> None:
    from service.sites import registering

    registering.add_site("other", ["https://other.example"])
    taught(moderator, quirk(25))
    with reading() as session:
        other = session.execute(select(Site.id).where(Site.key == "other")).scalar_one()
        assert labels(session, other) == []
        assert session.execute(select(Comment.site_id)).scalars().first() != other


def test_a_history_of_only_the_queue_does_not_poison_a_site(moderator: Caller) -> None:
    """241 comments rejected for spam in three languages, and 102 approved ones, all of them
    English: what is harmless in German and Portuguese is held no more than before.
    """
    written = write(random.Random(5), 12_000)
    spam = [each for each in written if each.kind == "spam"][:241]
    good = [each for each in written if each.kind == "good" and each.language == "en"][:102]
    for number, each in enumerate([*spam, *good]):
        comment = add_comment(each.text, status="flagged", language=each.language)
        add_screening(comment, dict(each.context))
        verdict, reason = ("reject", "spam") if number < len(spam) else ("approve", None)
        assert moderator.decide(comment, verdict, reason=reason).status_code == 201
    harmless = [each for each in write(random.Random(6), 400) if each.kind == "good"]
    foreign = [each for each in harmless if each.language != "en"][:80]

    before = held(foreign)
    assert learn(site().id) is not None

    assert live() is not None
    assert held(foreign) <= before


def held(comments: list[Written]) -> int:
    """Return how many of these comments the checks would hold for their spam score."""
    with reading() as session:
        own = learned_by_score(session, live_models(session, [site().id]).get(site().id, {}))
    candidates = [
        Candidate(
            new_id(),
            site().id,
            1,
            "Ann",
            "",
            each.text,
            now(),
            language=each.language,
            models=own,
        )
        for each in comments
    ]
    judged = judge(SPAM, Batch(candidates))
    rule = rule_of(
        Policy(),
        SPAM,
        base_model(),
        scores={},
        languages=own[SPAM].languages if SPAM in own else (),
    )
    scores = np.array([each.score or 0.0 for each in judged])
    return int(rule.holds(scores, [each.language for each in comments]).sum())
