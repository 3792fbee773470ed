"""One comment as a moderator sees it, with its surroundings."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Comment, Moderator
from models.store.database import begin, reading
from service.console import item as items
from service.console.item import Author, Item, hosts_in, snippet
from service.console.sessions import SignedIn as Who
from service.http.problems import Problem
from service.people import accounts
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.service.signed_in import LINKS

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(data: object) -> Who:
    accounts.add_moderator("ann@paper.example", "demo", "moderator", PASSWORD)
    with reading() as session:
        moderator = session.scalars(select(Moderator.id)).one()
    return Who(moderator, "ann@paper.example", {"demo": "moderator"}, "", False, "")


def shown(who: Who, comment_id: str) -> Item:
    with reading(of_one_moment=True) as session:
        return items.item(session, who, *items.find(session, who, comment_id))


@pytest.mark.parametrize(
    ("html", "body", "text"),
    [
        ("<p>The <em>ferry</em> &amp; more</p>", "x", "The ferry & more"),
        ("<p>One</p>\n<p>two</p>", "x", "One two"),
        (None, "As  it\nwas *typed*", "As it was *typed*"),
        ("<p>Cut in a <a href='https://", "x", "Cut in a"),
        ("", "", ""),
    ],
)
def test_a_snippet_is_one_line_of_text(html: str | None, body: str, text: str) -> None:
    assert snippet(html, body) == text


def test_a_long_snippet_ends_at_a_word() -> None:
    text = snippet(f"<p>{'ferry ' * 100}</p>", "")
    assert len(text) <= items.SNIPPET
    assert text.endswith("ferry…")


def test_the_hosts_of_links_are_named_once() -> None:
    html = (
        '<a href="https://www.a.example/x">a</a> <a href="https://a.example/y">b</a>'
        '<a href="https://b.example/">c</a>'
    )
    assert hosts_in(html) == ["a.example", "b.example"]
    assert hosts_in("<p>none</p>") == []


def test_an_authors_earlier_comments_are_summed_up_in_a_few_words(
    client: Client, moderator: Caller, ann: Who
) -> None:
    ids = [posted(client, name=f"Ann {n}", body=f"Number {n} {LINKS}") for n in range(7)]
    screen_all()
    moderator.decide(ids[0], "approve")
    moderator.decide(ids[1], "reject", reason="spam")
    author = shown(ann, ids[6])["author"]
    assert author.total == 6
    assert dict(author.counts) == {"approved": 1, "rejected": 1, "flagged": 4}
    assert [earlier.id for earlier in author.last] == ids[5:0:-1]
    assert author.last[0].text.startswith("Number 5")
    assert list(author.names) == [f"Ann {n}" for n in range(5)]
    assert not author.is_more
    assert shown(ann, ids[6])["waiting"] == 4


def test_nothing_is_revealed_about_an_erased_author(
    client: Client, moderator: Caller, ann: Who
) -> None:
    comment = posted(client)
    screen_all()
    moderator.call("DELETE", f"/comments/{comment}")
    item = shown(ann, comment)
    assert item["author"] == Author()
    assert (item["waiting"], item["may_decide"]) == (0, False)


def test_a_reply_shows_its_parent(client: Client, moderator: Caller, ann: Who) -> None:
    parent = posted(client, name="Ben", body="The ferry was late.")
    moderator.decide(parent, "approve")
    publish_all()
    reply = posted(client, body="So it was.", parent=parent)
    screen_all()
    answered = shown(ann, reply)["answers"]
    assert answered is not None
    assert (answered.id, answered.name, answered.status) == (parent, "Ben", "approved")
    assert "The ferry was late." in answered.html
    assert shown(ann, parent)["answers"] is None


def test_a_decision_by_a_human_can_be_undone_once(
    client: Client, moderator: Caller, ann: Who
) -> None:
    comment = posted(client, body=f"See {LINKS}")
    screen_all()
    assert not shown(ann, comment)["may_undo"]
    assert "3 links; the limit is 2" in shown(ann, comment)["why"]
    moderator.decide(comment, "approve")
    assert shown(ann, comment)["may_undo"]
    moderator.undo(comment)
    assert not shown(ann, comment)["may_undo"]


def test_another_sites_comment_is_not_found(client: Client, ann: Who) -> None:
    comment = posted(client)
    for who, id_ in ((ann._replace(sites={"other": "owner"}), comment), (ann, "x")):
        with reading() as session, pytest.raises(Problem) as refused:
            items.find(session, who, id_)
        assert refused.value.status == 404


def test_a_viewer_may_not_decide(client: Client, ann: Who) -> None:
    comment = posted(client)
    viewer = ann._replace(sites={"demo": "viewer"})
    assert not shown(viewer, comment)["may_decide"]
    with pytest.raises(Problem, match=r"Only moderators and owners can do this"):
        items.check_may(viewer, "demo", "moderator")
    with pytest.raises(Problem, match="Only owners can do this"):
        items.check_may(ann, "demo", "owner")


def test_comments_that_say_nearly_the_same_are_counted_while_they_wait(
    client: Client, moderator: Caller, ann: Who
) -> None:
    ids = [posted(client, email=f"r{n}@example.org", body=f"Look {LINKS}") for n in range(3)]
    screen_all()
    with begin() as session:
        for id_ in ids[1:]:
            session.get_one(Comment, id_).campaign = ids[0]
    assert [shown(ann, id_)["alike"] for id_ in ids] == [2, 2, 2]
    moderator.decide(ids[0], "reject")
    assert shown(ann, ids[1])["alike"] == 1
