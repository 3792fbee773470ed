"""Remove erased words from SQLite's files, where they would stay in the search index and in the
write-ahead log.

Every connection overwrites what it deletes (`secure_delete`). Three places are left:

- The search index keeps an erased word in an older segment, with a note in a newer one that it was
  deleted. Merging the segments removes it.
- A page whose rows moved to another page keeps copies in its unused middle (2 of 1,000 erased rows
  in a test). Vacuuming removes them.
- The write-ahead log keeps earlier versions of pages until it is overwritten. Truncating removes
  them.

PostgreSQL keeps dead rows until its own VACUUM; see operations/README.md, "Erasure".
"""

from __future__ import annotations

import sqlite3
import time
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.records import Chore
from models.store.database import begin, engine, reading, writing_alone
from models.store.faults import in_words

MERGE, VACUUM, TRUNCATE = "merge search", "vacuum", "truncate log"
PAGES_AT_ONCE = 64  # of the search index, per transaction: others wait for some milliseconds
MERGE_SECONDS = 2.0  # at one time; several sweeps share the work on a larger index
VACUUM_AFTER = timedelta(seconds=30)  # one scrubbing covers the erasures of this time
VACUUM_BYTES = (
    64 * 2**20
)  # vacuuming this many bytes blocks writers for about a second; a larger file is left to its owner
TRUNCATE_TRIES = 20
BUSY_MS = 50  # how long to wait for a reader, because no one else can write meanwhile
PAUSE_SECONDS = 0.1
log = structlog.get_logger()


def owe_scrubbing(session: Session, at: datetime, *, index: bool) -> None:
    """Make scrubbing due. Call this in the transaction that erases, so that scrubbing is never
    forgotten. `index` says whether the search index contained the erased words.
    """
    if not _is_sqlite():
        return
    session.merge(Chore(name=TRUNCATE, due=at))
    if index:
        session.merge(Chore(name=MERGE, due=at))
        if session.get(Chore, VACUUM) is None:
            session.add(Chore(name=VACUUM, due=at + VACUUM_AFTER))


def scrub(at: datetime) -> bool:
    """Do the scrubbing that is due. Return False if some is left for the next sweep: the index is
    large, or readers are in the way.
    """
    if not _is_sqlite():
        return True
    with reading() as session:
        owed = {
            chore.name: chore.due for chore in session.scalars(select(Chore).where(Chore.due <= at))
        }
    if MERGE in owed and not _merge():
        return False
    if VACUUM in owed:
        _vacuum()
    if owed and not _truncate():
        return False
    if owed:
        with begin(synced=False) as session:
            for name, due in owed.items():  # unless more was erased meanwhile
                session.execute(delete(Chore).where(Chore.name == name, Chore.due == due))
    return True


def _is_sqlite() -> bool:
    return engine().dialect.name == "sqlite"


def _merge() -> bool:
    """Merge the search index into one segment, a few pages at a time. Return True once it is one.

    A negative number starts or continues a merge of everything.
    https://www.sqlite.org/fts5.html#the_merge_command
    """
    until = time.monotonic() + MERGE_SECONDS
    while time.monotonic() < until:
        with begin(synced=False) as session:
            connection = session.connection().connection.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            before = connection.total_changes
            connection.execute(
                "INSERT INTO searched_words (searched_words, rank) VALUES ('merge', ?)",
                (-PAGES_AT_ONCE,),
            )
            if connection.total_changes - before < 2:
                return True
    return False


def _vacuum() -> None:
    """Rewrite a small database. This may fail for lack of space, and then the next erasure tries
    again.
    """
    with engine().connect() as connection:
        size = connection.exec_driver_sql(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        if size.scalar_one() > VACUUM_BYTES:
            return
    try:
        with writing_alone() as connection:
            connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        log.warning("vacuum.failed", error=type(error).__name__, reason=in_words(error))


def _truncate() -> bool:
    """Write the log back into the database and truncate it. Return False while readers are in the
    way.
    """
    for _ in range(TRUNCATE_TRIES):
        with writing_alone() as connection:
            (waits,) = connection.execute("PRAGMA busy_timeout").fetchone()
            connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            try:
                (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout={waits}")
        if not is_busy:
            return True
        time.sleep(PAUSE_SECONDS)
    return False
