"""Stored objects that belong to no page of any thread, left behind by an earlier state of the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

from sqlalchemy import select

from models.identifiers import is_id
from models.records import Comment, Site
from models.store import storage
from models.store.database import reading
from models.store.storage import REPLIES_A_PAGE, TOPS_A_PAGE
from models.text.numbers import digits_to_int
from service.operations import page_rules
from service.operations.violation import MEND, Violation

RULE = "no strays"


def find() -> Iterator[Violation]:
    """Return objects that belong to no thread. Memory holds only each thread's folder and its
    number of pages.
    """
    suspects = list(_unknown(_pages()))
    if not suspects:
        return
    pages = _pages()  # check again: the thread may be new, and a draft is soon gone
    for name in suspects:
        if not _is_known(name, pages) and storage.look(name):
            words = "published, but not a page of any thread"
            yield Violation(RULE, "object", name, words, MEND)


def _unknown(pages: dict[str, int]) -> Iterator[str]:
    with reading() as session:
        sites = session.scalars(select(Site.key).order_by(Site.key)).all()
    for site in sites:
        for name in storage.names(f"{site}/"):
            if not _is_known(name, pages):
                yield name


def _pages() -> dict[str, int]:
    """Return the number of pages of each thread, by folder."""
    pages: dict[str, int] = {}
    for row in page_rules.threads():
        folder, _, _ = storage.newest_name(row.site, row.Thread.key).rpartition("/")
        pages[folder] = max(1, ceil(row.Thread.places / TOPS_A_PAGE))
    return pages


def _is_known(name: str, pages: dict[str, int]) -> bool:
    site, _, rest = name.partition("/")
    shard, digest, *path = rest.split("/")
    number = digits_to_int(path[-1].removesuffix(".json")) if path else None
    if (most := pages.get(f"{site}/{shard}/{digest}")) is None or len(path) > 2:
        return False
    if path in (["newest.json"], ["feed.atom"]):
        return True
    if number is None:
        return False
    return 1 <= number <= (most if len(path) == 1 else _continues(path[0]))


def _continues(top: str) -> int:
    """Return in how many further objects the replies to this comment continue."""
    with reading() as session:
        places = (
            session.scalar(select(Comment.places).where(Comment.id == top)) if is_id(top) else None
        )
    return max(0, (places or 0) - 1) // REPLIES_A_PAGE


def remove(names: Iterable[str]) -> None:
    for name in names:
        storage.remove(name)
