"""Changing a thread from the console and by key. Its title and address come with a stranger's
comment and are checked.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models.records import Act, Block, Site, Thread
from models.store.database import begin, reading
from tests.caller import Caller, Client, post, posted, publish_all, screen_all
from tests.service.signed_in import SignedIn

GOOD = "We took the early ferry on Sunday and it was on time, which surprised all of us."
PAGE = "https://paper.example/harbour"


def set_policy(**parts: Any) -> None:
    with begin() as session:
        session.execute(update(Site).values(policy=parts))


def settled(client: Client, moderator: Caller, **fields: Any) -> tuple[str, str, str]:
    """Return the comment, its status, and the evidence of the page check."""
    comment = posted(client, **{"body": GOOD, **fields})
    screen_all()
    record = moderator.record(comment)
    [item] = [item for item in record["evidence"] if item["check"] == "page"]
    return comment, record["status"], item["detail"]


def published(client: Client, moderator: Caller, comment: str) -> str:
    """Return everything a reader sees of the thread after a moderator has approved the comment."""
    moderator.decide(comment, "approve")
    publish_all()
    places = [
        "/v1/sites/demo/comments?thread=/harbour",
        "/sites/demo/thread?thread=/harbour",
        "/sites/demo/thread.atom?thread=/harbour",
    ]
    texts = [client.get(place).text for place in places]
    redirect = client.get(f"/sites/demo/c/{comment}")
    assert redirect.status_code == 302
    return "\n".join([*texts, redirect.headers["Location"]])


@pytest.mark.parametrize(
    ("fields", "words", "absent"),
    [
        (
            {"title": "Best Casino online"},
            "the page's title uses the blocked word “casino”",
            "Casino",
        ),
        ({"title": "Best C-A-S-I-N-O"}, "the page's title uses", "C-A-S"),
        ({"title": "A lottery"}, "the page's title uses the held word “lottery”", "lottery"),
        ({"title": "See https://evil.example/"}, "links to “evil.example”", "evil"),
        ({"title": "See evil.example, friends"}, "links to “evil.example”", "evil"),
        (
            {"title": "Go to https://other.example/ now"},
            "the page's title mentions other.example",
            "other",
        ),
        (
            {"title": "Go to WWW.Other.Example now"},
            "the page's title mentions www.other.example",
            "Other",
        ),
        (
            {"url": f"{PAGE}/casino-bonus"},
            "the page's address uses the blocked word “casino”",
            "casino",
        ),
        ({"url": f"{PAGE}/c%61sino"}, "the page's address uses the blocked word “casino”", "sino"),
        (
            {"url": f"{PAGE}?p=casino"},
            "the page's address uses the blocked word “casino”",
            "casino",
        ),
        ({"url": f"{PAGE}/https://evil.example/"}, "“evil.example”", "evil"),
        (
            {"url": f"{PAGE}?p=https%3A%2F%2Fother.example"},
            "the page's address mentions other.example",
            "other",
        ),
    ],
)
def test_a_title_or_an_address_with_a_problem_is_held_with_the_comment_and_never_published(
    client: Client, moderator: Caller, fields: dict[str, str], words: str, absent: str
) -> None:
    set_policy(words={"blocked": ["casino"], "held": ["lottery"]})
    block("evil.example")
    comment, status, detail = settled(client, moderator, **fields)
    assert (status, words in detail) == ("flagged", True), detail
    assert absent not in published(client, moderator, comment)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Booking.com has a ferry now", "url": f"{PAGE}/2026/booking.com-ferry"},
        {"title": "As we told in https://paper.example/old", "url": PAGE},
        {"url": f"{PAGE}?next=https://evil.example/&p=12#x"},
        {},
    ],
)
def test_an_ordinary_title_and_address_are_published(
    client: Client, moderator: Caller, fields: dict[str, str]
) -> None:
    block("evil.example")
    _, status, _ = settled(client, moderator, **fields)
    publish_all()
    assert status == "approved"
    page = moderator.page()
    expected = (
        fields["url"].partition("?")[0] + ("?p=12" if "p=12" in fields["url"] else "")
        if fields
        else None
    )
    assert (page["title"], page["url"]) == (fields.get("title"), expected)


def test_a_permalink_has_only_the_parameters_that_the_site_lists(
    client: Client, moderator: Caller
) -> None:
    answer = moderator.call("PATCH", "/policy", json={"threads": {"query": ["article", "lang"]}})
    assert answer.json["threads"]["query"] == ["article", "lang"]
    url = "https://paper.example:443/x/../show?go=//evil.example&lang=en&article=7&p=1#evil"
    comment, _, _ = settled(client, moderator, url=url)
    moderator.decide(comment, "approve")
    there = client.get(f"/sites/demo/c/{comment}").headers["Location"]
    assert there == f"https://paper.example/show?article=7&lang=en#greenroom-{comment}.1"


def test_a_title_that_was_there_before_is_not_asked_of_the_next_comment(
    client: Client, moderator: Caller
) -> None:
    set_policy(words={"blocked": ["casino"]})
    moderator.call(
        "PATCH", "/threads", json={"thread": "/harbour", "title": "A casino opens", "url": PAGE}
    )
    _, status, detail = settled(client, moderator, title="A casino opens", url=f"{PAGE}/casino")
    assert (status, detail) == ("approved", "the comment has no page title or address")


@pytest.mark.parametrize("title", ["\u200b\u2800", " ", "\u202e"])
def test_an_invisible_title_is_none(client: Client, moderator: Caller, title: str) -> None:
    settled(client, moderator, title=title)
    publish_all()
    assert moderator.page()["title"] is None


def test_a_title_is_one_line_of_at_most_300_characters(client: Client, moderator: Caller) -> None:
    settled(client, moderator, title="The\nharbour\u202e " + "a" * 400)
    publish_all()
    title = moderator.page()["title"]
    assert title.startswith("The harbour a")
    assert len(title) == 300


def test_a_moderator_corrects_both_in_the_console_for_good(
    client: Client, moderator: Caller
) -> None:
    posted(client, body=GOOD, title="Buy now", url=f"{PAGE}/buy")
    screen_all()
    ann = SignedIn(client, role="moderator")
    thread = thread_id()
    assert 'value="Buy now"' in ann.get(f"/threads/{thread}")
    address = "https://paper.example/harbour?view=2"
    assert (
        ann.form(f"/threads/{thread}/page", title=" The  harbour ", url=f"{address}#x").status_code
        == 303
    )
    posted(client, body=f"{GOOD} Twice.", title="Buy again", url=f"{PAGE}/again")
    screen_all()
    publish_all()
    page = moderator.page()
    assert (page["title"], page["url"]) == ("The  harbour", address)
    assert [what for what in acts() if "harbour" in what] == [
        "set the title of “/harbour” to “The  harbour”",
        f"set the address of “/harbour” to “{address}”",
    ]


def test_no_comment_restores_what_a_moderator_removed(client: Client, moderator: Caller) -> None:
    posted(client, body=GOOD, title="Buy now", url=f"{PAGE}/buy")
    screen_all()
    ann = SignedIn(client, role="moderator")
    assert ann.form(f"/threads/{thread_id()}/page", title="", url="").status_code == 303
    comment = posted(client, body=f"{GOOD} Twice.", title="Buy again", url=f"{PAGE}/again")
    screen_all()
    publish_all()
    page = moderator.page()
    assert (page["title"], page["url"]) == (None, None)
    assert (
        client.get(f"/sites/demo/c/{comment}")
        .headers["Location"]
        .startswith("https://paper.example/harbour#")
    )
    assert acts() == ["removed the title of “/harbour”", "removed the address of “/harbour”"]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "https://ann@paper.example/",
        "javascript:alert(1)",
        "/harbour",
        "https://",
    ],
)
def test_an_address_that_is_not_on_the_site_is_refused(
    client: Client, moderator: Caller, url: str
) -> None:
    post(client)
    ann = SignedIn(client, role="moderator")
    assert ann.form(f"/threads/{thread_id()}/page", title="x", url=url).status_code == 422
    assert (
        moderator.call("PATCH", "/threads", json={"thread": "/harbour", "url": url}).status_code
        == 422
    )
    assert acts() == []


def test_a_viewer_cannot_correct_anything(client: Client) -> None:
    post(client)
    ann = SignedIn(client, role="viewer")
    assert "Save title and address" not in ann.get(f"/threads/{thread_id()}")
    assert ann.form(f"/threads/{thread_id()}/page", title="x", url="").status_code == 403


def test_an_owner_lists_the_parameters_in_the_settings(client: Client, moderator: Caller) -> None:
    ann = SignedIn(client)
    assert 'value="p id page_id article"' in ann.get("/settings?site=demo")
    assert (
        ann.form("/settings/demo", **{"threads.query": "article, lang", "version": "1"}).status_code
        == 303
    )
    assert moderator.call("GET", "/policy").json["threads"]["query"] == ["article", "lang"]
    assert ann.form("/settings/demo", **{"threads.query": "a&b", "version": "2"}).status_code == 422


CHANGES: list[tuple[dict[str, str], dict[str, object], str]] = [
    ({"way": "closed"}, {"state": "closed"}, "closed the thread “/harbour”"),
    ({"way": "open"}, {"state": "open"}, "opened the thread “/harbour”"),
    (
        {"way": "before"},
        {"moderation": "before"},
        "turned on review of every comment for the thread “/harbour”",
    ),
    (
        {"way": "after"},
        {"moderation": "after"},
        "turned off review of every comment for the thread “/harbour”",
    ),
    (
        {"slow": "300"},
        {"slow_seconds": 300},
        "changed slow mode from off to 300 s for the thread “/harbour”",
    ),
    (
        {"slow": ""},
        {"slow_seconds": None},
        "changed slow mode from 300 s to off for the thread “/harbour”",
    ),
]


def test_the_console_and_the_api_log_the_same_changes_of_a_thread(
    client: Client, moderator: Caller
) -> None:
    post(client)
    ann = SignedIn(client, role="moderator")
    for form, _, _ in CHANGES:
        assert ann.form(f"/threads/{thread_id()}", **form).status_code == 303
    expected = [sentence for _, _, sentence in CHANGES]
    assert acts() == expected
    for _, body, _ in CHANGES:
        call = moderator.call("PATCH", "/threads", json={"thread": "/harbour", **body})
        assert call.status_code == 200
    assert acts() == expected * 2
    log: Any = moderator.call("GET", "/log?kind=threads").json
    assert [line["by"].partition(":")[0] for line in log["log"]] == ["key"] * 6 + ["moderator"] * 6


def test_a_change_that_changes_nothing_is_not_logged(client: Client, moderator: Caller) -> None:
    post(client, title="The harbour")
    ann = SignedIn(client, role="moderator")
    for form in ({"way": "after"}, {"slow": ""}, {"way": "closed"}, {"way": "closed"}):
        assert ann.form(f"/threads/{thread_id()}", **form).status_code == 303
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "closed"})
    assert acts() == ["closed the thread “/harbour”"]


def test_opening_an_open_thread_renews_its_age_and_is_logged(
    client: Client, moderator: Caller
) -> None:
    post(client)
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "open"})
    assert acts() == ["opened the thread “/harbour”"]
    with reading() as session:
        assert session.scalars(select(Thread.opened_at)).one() is not None


def test_every_change_of_a_thread_publishes_its_page(client: Client, moderator: Caller) -> None:
    post(client)
    ann = SignedIn(client, role="moderator")
    assert ann.form(f"/threads/{thread_id()}", way="closed").status_code == 303
    publish_all()
    assert moderator.page()["state"] == "closed"
    moderator.call("PATCH", "/threads", json={"thread": "/harbour", "state": "open"})
    publish_all()
    assert moderator.page()["state"] == "open"


def test_a_thread_without_comments_can_be_closed_before_the_first(
    client: Client, moderator: Caller
) -> None:
    body = {"thread": "/new", "state": "closed"}
    assert moderator.call("PATCH", "/threads", json=body).json["count"] == 0
    assert post(client, thread="/new").status_code == 409
    assert acts() == ["closed the thread “/new”"]


def block(host: str) -> None:
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(
            Block(
                site_id=site, kind="host", stance="block", value=host, label=host, by="moderator:x"
            )
        )


def thread_id() -> int:
    with reading() as session:
        return session.scalars(select(Thread.id)).one()


def acts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Act.what).where(Act.kind == "threads").order_by(Act.id)))
