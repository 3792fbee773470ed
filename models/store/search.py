"""Full-text search over comments: SQLite's FTS5, PostgreSQL's tsvector, both over the words as they
stand.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Table,
    column,
    event,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from models.records import Comment
from models.store.database import Base

OWN = re.compile(
    r"searched(_\w+)?$|ix_comments_words$"
)  # made by a migration, and no table or index of the records
MOST_WORDS, MOST_FOUND, LONGEST = 20, 1000, 1000
_WORD = re.compile(r"\w+")
_SEARCHED = table("searched", column("n"), column("comment_id", Comment.id.type))
_WORDS = table("searched_words", column("rowid"))
_DOCUMENT = "to_tsvector('simple', comments.name || ' ' || comments.body)"
_INDEX = (
    "CREATE INDEX ix_comments_words ON comments "
    "USING gin (to_tsvector('simple', name || ' ' || body)) WHERE html IS NOT NULL"
)


@event.listens_for(Base.metadata.tables["comments"], "after_create")
def _make_index(_: Table, connection: Connection, **__: Any) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_INDEX)


def is_of_the_records(name: str | None, kind: str, parents: Any = None) -> bool:
    """For Alembic: whether a table or index is described by the records, or is the search's own."""
    return kind not in {"table", "index"} or not OWN.match(name or "")


def terms(words: str) -> list[str]:
    """What is looked for, in small letters."""
    return _WORD.findall(words[:LONGEST].lower())[:MOST_WORDS]


def matching(session: Session, words: str, site_id: int) -> Select[Any] | None:
    """Ids of the site's comments that have all of these words, the last one perhaps only begun.

    Of very many the newest; None if there is no word to look for.
    """
    wanted = terms(words)
    if not wanted:
        return None
    found: Any
    if session.get_bind().dialect.name == "sqlite":
        match = (
            f"site:s{site_id} AND {{name body}}:(" + " ".join(f'"{term}"' for term in wanted) + "*)"
        )
        found = select(_WORDS.c.rowid).where(
            text("searched_words MATCH :match").bindparams(match=match)
        )
        newest = found.order_by(_WORDS.c.rowid.desc()).limit(MOST_FOUND)
        return select(_SEARCHED.c.comment_id).where(_SEARCHED.c.n.in_(newest))
    query = " & ".join(f"'{term}'" for term in wanted) + ":*"
    says: Any = literal_column(_DOCUMENT).op("@@")(
        func.to_tsquery(literal_column("'simple'"), query)
    )
    found_by = select(Comment.id).where(says, Comment.html.is_not(None), Comment.site_id == site_id)
    # On its own, or the planner walks all comments in the order of the list and takes each one's
    # words apart.
    found = (
        found_by.order_by(Comment.id.desc())
        .limit(MOST_FOUND)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    return select(found.c.id)
