"""What moderators block is rejected, what they trust loses a doubt, and both end on their date."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.records import Block, Comment, Site, Thread
from models.store.database import begin, now, reading
from models.store.secrets import email_index
from models.text.folding import fold
from models.text.urls import link
from tests.caller import Caller, Client, posted, screen_all
from tests.models.text.test_urls import SPELLINGS

GOOD = "We took the early ferry on Sunday and it was on time, which surprised all of us."


def stand(
    kind: str, value: str, stance: str = "block", *, days: int | None = 30, ended: bool = False
) -> None:
    at = now()
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        until = at + timedelta(days=days) if days else None
        row = Block(
            site_id=site,
            kind=kind,
            stance=stance,
            value=value,
            label=value,
            by="moderator:x",
            until=until,
        )
        row.ended_at = at if ended else None
        session.add(row)


def settled(client: Client, **fields: str) -> tuple[str, str]:
    """Return the status of a comment after its screening, and the check's evidence."""
    comment = posted(client, **{"body": GOOD, **fields})
    screen_all()
    with reading() as session:
        row = session.get_one(Comment, comment)
    record = Caller(client, _key()).record(comment)
    return row.status, next(
        item["detail"] for item in record["evidence"] if item["check"] == "blocks"
    )


def _key() -> str:
    from service.people import accounts

    return accounts.create_key("demo", "admin")


EVIL = [
    url for url, host in SPELLINGS if host == "evil.example" and url.lower().startswith("https://")
]


@pytest.mark.parametrize(
    ("kind", "value", "fields"),
    [
        ("author", "ann@example.org", {}),
        ("host", "watches.example", {"body": f"{GOOD} https://shop.watches.example/now"}),
        ("host", "watches.example", {"website": "https://watches.example"}),
        ("host", "watches.example", {"body": f"{GOOD} [now](https://Watches.example./now)"}),
        ("host", "bücher.example", {"body": f"{GOOD} https://bücher.example/now"}),
        ("host", "xn--bcher-kva.example", {"website": "https://bücher.example"}),
        ("word", "replica watch", {"body": f"{GOOD} Replica-WATCH!"}),
        *[
            ("host", "evil.example", {"website": url})
            for url in EVIL
            if link(url) and "\t" not in url
        ],
        *[
            ("host", "evil.example", {"body": f"{GOOD} [now]({url})"})
            for url in EVIL
            if url.isprintable()
        ],
        *[
            ("host", "evil.example", {"body": f"{GOOD} see <{url}>"})
            for url in EVIL
            if url.isprintable()
        ],
        (
            "host",
            "evil.example",
            {"body": f"{GOOD} {' '.join(f'{n}.com' for n in 'abcdefghijkl')} www.evil.example"},
        ),
    ],
)
def test_a_blocked_comment_is_rejected_with_a_reason(
    client: Client, kind: str, value: str, fields: dict[str, str]
) -> None:
    kept = {"author": email_index, "word": fold}.get(kind, str)
    stand(kind, kept(value))
    status, detail = settled(client, **fields)
    assert status == "rejected"
    assert "blocked" in detail
    assert " until " in detail


@pytest.mark.parametrize(
    ("kind", "value", "body"),
    [
        ("word", "watch", f"{GOOD} Watchmaker"),
        ("host", "ches.example", f"{GOOD} https://watches.example"),
    ],
)
def test_a_part_of_a_word_or_of_a_host_is_not_blocked(
    client: Client, kind: str, value: str, body: str
) -> None:
    stand(kind, value)
    assert settled(client, body=body)[1] == "nothing in it is blocked or trusted"


def test_a_block_ends_on_its_date_or_when_someone_ends_it(client: Client) -> None:
    stand("author", email_index("ann@example.org"), days=-1)
    stand("author", email_index("ann@example.org"), ended=True)
    assert settled(client)[1] == "nothing in it is blocked or trusted"


def test_links_to_a_trusted_host_are_not_counted(client: Client) -> None:
    stand("host", "ferry.example", "trust")
    links = " ".join(f"https://ferry.example/{n}" for n in range(4))
    comment = posted(client, body=f"{GOOD} {links}")
    screen_all()
    record = Caller(client, _key()).record(comment)
    assert not any(
        "the limit is" in reason for each in record["decisions"] for reason in each["reasons"]
    )


def test_a_thread_can_be_read_first_and_slowed_down(client: Client) -> None:
    with begin() as session:
        session.add(
            Thread(
                site_id=session.scalars(select(Site.id)).one(), key="/harbour", moderation="before"
            )
        )
    status, detail = settled(client)
    assert (status, detail) == (
        "flagged",
        "a moderator reviews every comment in this thread before it goes live",
    )
    with begin() as session:
        session.execute(update(Thread).values(moderation=None, slow_seconds=300))
    status, detail = settled(
        client, body="And back again in the evening, with the lights on all the way."
    )
    assert status == "flagged"
    assert "slow mode is on" in detail
    assert (
        settled(client, email="ben@example.org", thread="/other")[1]
        == "nothing in it is blocked or trusted"
    )
