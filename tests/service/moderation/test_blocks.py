"""Blocking and trusting: the value of a block, its end, and the decisions made with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from models.records import Act, Block, Comment, Site
from models.settling.actor import Actor
from models.store.database import begin, now, reading
from service.http.problems import Problem
from service.moderation.blocks import NewBlock, block_shape, covered, end, make, standing
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS

ANN = Actor.moderator("0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10")
LONG = "Buy the very best watches of all the world in our shop today, dear readers of this paper"


def site_id() -> int:
    with reading() as session:
        return session.scalars(select(Site.id)).one()


def made(new: NewBlock, comment_id: str | None = None) -> Block:
    with begin() as session:
        comment = session.get_one(Comment, comment_id) if comment_id else None
        block, _, _ = make(session, site_id(), new, comment, by=ANN)
    return block


def acts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Act.what).where(Act.kind == "blocks").order_by(Act.id)))


@pytest.mark.parametrize(
    ("new", "value", "label"),
    [
        ({"kind": "host", "value": "*.Watches.Example"}, "watches.example", "watches.example"),
        ({"kind": "host", "value": "www.watches.example"}, "watches.example", "watches.example"),
        ({"kind": "word", "value": "  Casino "}, "casino", "casino"),
        ({"kind": "word", "value": "Сasino"}, "casino", "сasino"),  # with a Cyrillic С
    ],
)
def test_a_block_compares_a_folded_value_and_shows_what_was_typed(
    data: object, new: dict[str, str], value: str, label: str
) -> None:
    block = made(NewBlock.model_validate(new))
    assert (block.value, block.label) == (value, label)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        ({"kind": "host", "value": "nodot"}, "value"),
        ({"kind": "word", "value": "   "}, "value"),
        ({"kind": "author", "value": "ann"}, "comment"),
        ({"kind": "like", "stance": "reject", "days": 3}, "comment"),
    ],
)
def test_a_block_of_nothing_names_the_field_that_is_wrong(
    data: object, new: dict[str, object], field: str
) -> None:
    with pytest.raises(Problem) as refused:
        made(NewBlock.model_validate(new))
    assert refused.value.status == 422
    assert [error["field"] for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "new",
    [
        {"kind": "word", "value": "x", "stance": "trust"},
        {"kind": "author", "value": "a@b.example", "stance": "reject"},
        {"kind": "like", "stance": "block", "days": 3},
        {"kind": "like", "stance": "reject"},
        {"kind": "like", "stance": "reject", "days": 31},
        {"kind": "word", "value": "x", "days": 0},
        {"kind": "colour", "value": "red"},
    ],
)
def test_a_stance_or_a_time_that_makes_no_sense_is_refused(new: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewBlock.model_validate(new)


def test_a_block_applies_until_its_date_or_its_end(data: object) -> None:
    short = made(NewBlock(kind="word", value="short", days=1))
    ever = made(NewBlock(kind="word", value="ever"))
    with reading() as session:
        in_force = session.scalars(standing([site_id()], now())).all()
        later = session.scalars(standing([site_id()], now() + timedelta(days=2))).all()
    assert [block.id for block in in_force] == [ever.id, short.id]
    assert [block.id for block in later] == [ever.id]
    for _ in range(2):  # a colleague ends it at the same time
        with begin() as session:
            end(session, session.get_one(Block, ever.id), by="moderator:ben")
    with reading() as session:
        assert session.scalars(standing([site_id()], now() + timedelta(days=2))).all() == []
        shape = block_shape(session.get_one(Block, ever.id))
    assert shape["ended_by"] == "moderator:ben"
    assert acts()[-1] == "unblocked the word “ever”"
    assert len(acts()) == 3


def test_the_log_never_names_an_author(client: Client) -> None:
    comment = posted(client, name="Ann Author", email="ann@example.org")
    made(NewBlock(kind="author", days=7), comment)
    made(NewBlock(kind="author", value="ann@example.org", stance="trust"))
    by_comment, by_address = acts()
    assert by_comment.startswith("blocked an author until ")
    assert by_address == "trusted an author permanently"
    with reading() as session:
        first, second = session.scalars(select(Block).order_by(Block.id)).all()
    assert first.value == second.value
    assert "example.org" not in f"{first.value}{first.label}{second.label}"


def test_an_erased_authors_comments_cannot_be_blocked(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.call("DELETE", f"/comments/{comment}")
    with pytest.raises(Problem, match="its author is unknown"):
        made(NewBlock(kind="author"), comment)


def test_blocking_an_author_rejects_their_waiting_comments_as_one_batch(client: Client) -> None:
    theirs = [posted(client, email="bad@example.org", body=f"{n} {LINKS}") for n in range(3)]
    other = posted(client, email="good@example.org", body=f"Another {LINKS}")
    screen_all()
    with begin() as session:
        comment = session.get_one(Comment, theirs[0])
        new = NewBlock(kind="author", others=True)
        _, settled, batch = make(session, site_id(), new, comment, by=ANN)
    assert batch
    assert {each.comment_id for each in settled} == set(theirs)
    with reading() as session:
        statuses = {id_: session.get_one(Comment, id_).status for id_ in [*theirs, other]}
    assert statuses == {**dict.fromkeys(theirs, "rejected"), other: "flagged"}


def test_trusting_an_author_decides_no_comment(client: Client) -> None:
    comment = posted(client, body=f"A few links {LINKS}")
    screen_all()
    with begin() as session:
        new = NewBlock(kind="author", stance="trust", others=True)
        found = session.get_one(Comment, comment)
        _, settled, batch = make(session, site_id(), new, found, by=ANN)
    assert (settled, batch) == ([], None)


def test_a_short_comment_is_similar_to_no_other(client: Client) -> None:
    short, long = posted(client, body="Yes!"), posted(client, body=LONG)
    with pytest.raises(Problem, match="too short"):
        made(NewBlock(kind="like", stance="reject", days=3), short)
    block = made(NewBlock(kind="like", stance="flag", days=3), long)
    assert block.value == long
    assert block.label == f"{LONG[:79]}…"
    assert acts()[-1].startswith("made a rule to hold similar comments until ")


CASINO = (
    "Visit https://play.casino.example and https://www.casino.example/now and https://a.example"
)


def waiting(client: Client, *bodies: str) -> list[str]:
    ids = [
        posted(client, body=body, email=f"r{n}@example.org", thread=f"/{n}")
        for n, body in enumerate(bodies)
    ]
    screen_all()
    return ids


def covered_by(new: dict[str, object], comment_id: str | None = None) -> list[str]:
    """The comments that a new block could be applied to."""
    block = made(NewBlock.model_validate(new), comment_id)
    with reading() as session:
        return [comment.id for comment in covered(session, block)]


def test_a_blocked_host_covers_waiting_comments_that_link_to_it_or_below_it(
    client: Client,
) -> None:
    first, other, second = waiting(
        client, CASINO, f"Nothing of it {LINKS}", f"{CASINO} once more, in other words"
    )
    assert covered_by({"kind": "host", "value": "casino.example"}) == [first, second]
    assert covered_by({"kind": "host", "value": "play.casino.example"}) == [first, second]
    assert covered_by({"kind": "host", "value": "sino.example"}) == []
    assert covered_by({"kind": "host", "value": "b.example"}) == [other]


def test_a_blocked_word_covers_waiting_comments_that_use_it_however_it_is_dressed_up(
    client: Client,
) -> None:
    ids = waiting(
        client,
        f"The best CASINO in town {LINKS}",
        f"A c4sino for all of us {LINKS}",
        f"Occasionally I walk {LINKS}",
    )
    assert covered_by({"kind": "word", "value": "casino"}) == ids[:2]


def test_the_comment_at_which_it_was_blocked_counts_though_it_does_not_wait(
    client: Client, moderator: Caller
) -> None:
    live, another = waiting(client, CASINO, f"{CASINO} again and in other words")
    for comment in (live, another):
        moderator.decide(comment, "approve")
    host = {"kind": "host", "value": "casino.example"}
    assert covered_by(host, live) == [live]
    moderator.decide(live, "reject")
    assert covered_by(host, live) == []


def test_with_others_a_key_rejects_what_a_blocked_host_stops_and_can_undo_it(
    client: Client, moderator: Caller
) -> None:
    first, other = waiting(client, CASINO, f"Nothing of it {LINKS}")
    body = {"kind": "host", "value": "casino.example", "others": True}
    answer = moderator.call("POST", "/blocks", json=body).json
    assert [each["id"] for each in answer["decided"]] == [first]
    assert moderator.record(first)["decisions"][-1]["reason"] == "spam"
    assert moderator.record(other)["status"] == "flagged"
    moderator.call("POST", "/decisions/undo", json={"batch": answer["batch"]})
    assert moderator.record(first)["status"] == "flagged"


def test_a_blocked_word_is_no_spam_to_learn_from(client: Client, moderator: Caller) -> None:
    (comment,) = waiting(client, f"You idiot {LINKS}")
    body = {"kind": "word", "value": "idiot", "others": True}
    assert moderator.call("POST", "/blocks", json=body).status_code == 201
    assert moderator.record(comment)["decisions"][-1]["reason"] == "other"
