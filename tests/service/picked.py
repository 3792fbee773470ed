"""Comments that were published and then picked for the teaching queue."""

from __future__ import annotations

from sqlalchemy import select

from models.records import Comment, Review
from models.store.database import begin, reading
from tests.caller import Client, posted, screen_all

TEXTS = (
    "The ferry was late again, and nobody told us why.",
    "Our library should stay open on Sundays, too.",
    "Who decided that the market has to move to the harbour?",
    "I liked the concert, but the seats were far too expensive.",
    "The new bridge looks better than the old one did.",
)


def publish(client: Client, count: int = len(TEXTS)) -> list[str]:
    """Return comments that the policy approved."""
    ids = [
        posted(client, body=TEXTS[number], email=f"r{number}@example.org", name=f"Reader {number}")
        for number in range(count)
    ]
    screen_all()
    assert {status_of(comment) for comment in ids} == {"approved"}
    return ids


def pick(comment: str, *, propensity: float | None = None) -> None:
    """Open a pick, as the worker does."""
    with begin() as session:
        site_id = session.get_one(Comment, comment).site_id
        session.add(
            Review(
                site_id=site_id,
                comment_id=comment,
                cause="teaching",
                blind=True,
                propensity=propensity,
            )
        )


def picked(client: Client, count: int = len(TEXTS)) -> list[str]:
    """Return live comments that are picked, in the order of the session."""
    ids = publish(client, count)
    for comment in ids:
        pick(comment)
    return ids


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def pick_of(comment: str) -> Review:
    with reading() as session:
        wanted = select(Review).where(Review.comment_id == comment, Review.cause == "teaching")
        return session.scalars(wanted).one()
