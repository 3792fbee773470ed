"""Full-text search over comments: SQLite's FTS5 and PostgreSQL's tsvector, both without
stemming.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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

# The tables and the index that a migration makes for the search. The records do not describe them.
OWN = re.compile(r"searched(_\w+)?$|ix_comments_words$")
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
def _make_index(_: Table, connection: Connection, **__: object) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_INDEX)


def is_of_the_records(name: str | None, kind: str, parents: object = None) -> bool:
    """Whether the records describe this table or index. Alembic asks, and must leave the search's
    own alone.
    """
    return kind not in {"table", "index"} or not OWN.match(name or "")


def terms(words: str) -> list[str]:
    """Return the words to search for, in lower case."""
    return _WORD.findall(words[:LONGEST].lower())[:MOST_WORDS]


def matching(session: Session, words: str, site_id: int) -> Select[str] | None:
    """Return a query for the ids of the site's comments that contain all of these words. The last
    word may be only the beginning of one.

    If many comments match, it returns the newest. Return None if there is no word to search for.
    """
    wanted = terms(words)
    if not wanted:
        return None
    if session.get_bind().dialect.name == "sqlite":
        return _matching_on_sqlite(wanted, site_id)
    return _matching_on_postgresql(wanted, site_id)


def _matching_on_sqlite(wanted: Sequence[str], site_id: int) -> Select[str]:
    quoted = " ".join(f'"{term}"' for term in wanted)
    match = f"site:s{site_id} AND {{name body}}:({quoted}*)"
    newest = (
        select(_WORDS.c.rowid)
        .where(text("searched_words MATCH :match").bindparams(match=match))
        .order_by(_WORDS.c.rowid.desc())
        .limit(MOST_FOUND)
    )
    return select(_SEARCHED.c.comment_id).where(_SEARCHED.c.n.in_(newest))


def _matching_on_postgresql(wanted: Sequence[str], site_id: int) -> Select[str]:
    query = func.to_tsquery(
        literal_column("'simple'"), " & ".join(f"'{term}'" for term in wanted) + ":*"
    )
    says = literal_column(_DOCUMENT).bool_op("@@")(query)
    newest = (
        select(Comment.id)
        .where(says, Comment.html.is_not(None), Comment.site_id == site_id)
        .order_by(Comment.id.desc())
        .limit(MOST_FOUND)
    )
    # Materialized, because otherwise the planner would walk through all comments in the order of
    # the list and split each one into words.
    found = newest.cte("found").prefix_with("MATERIALIZED")
    return select(found.c.id)
