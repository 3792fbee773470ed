"""`greenroom publish`: write the pages of some threads, or of all, again from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.records import Site, Thread
from models.store.database import begin, now, reading
from models.text.numbers import digits_to_int
from worker.publishing.publishing import publish_threads

AT_ONCE = 20


def publish(thread_ids: Sequence[int], done: Callable[[int], None] = lambda _: None) -> list[int]:
    """Make all pages of these threads due, and write them now. Return the ids of the threads that
    are still due.

    A thread that another publisher holds is left to it. A thread that fails stays due, and the
    sweep tries it again.
    """
    for start in range(0, len(thread_ids), AT_ONCE):
        some = thread_ids[start : start + AT_ONCE]
        owe_all(some)
        publish_threads(some)
        done(len(some))
    return [
        id_
        for start in range(0, len(thread_ids), 500)
        for id_ in _owed(thread_ids[start : start + 500])
    ]


def owe_all(thread_ids: Sequence[int] | None = None) -> None:
    """Make all pages due of these threads, or of every thread that ever had a page."""
    which = Thread.revision > 0 if thread_ids is None else Thread.id.in_(thread_ids)
    with begin() as session:
        session.execute(update(Thread).where(which).values(published_revision=0, publish_due=now()))


def every_thread() -> Iterator[int]:
    with reading() as session:
        yield from session.scalars(select(Thread.id).where(Thread.revision > 0).order_by(Thread.id))


def numbered(named: Sequence[str], site: str | None) -> list[int]:
    """Return the numbers of threads, given by number or, with a site, by their keys. Raises
    LookupError.
    """
    with reading() as session:
        return [_numbered(session, name, site) for name in named]


def _numbered(session: Session, name: str, site: str | None) -> int:
    wanted = select(Thread.id)
    if site is not None:
        wanted = wanted.join(Site, Site.id == Thread.site_id).where(
            Site.key == site, Thread.key == name
        )
    elif (number := digits_to_int(name, digits=18)) is not None:
        wanted = wanted.where(Thread.id == number)
    else:
        raise LookupError(
            f"{name!r} is not a thread's number. To name a thread by its key, give its site: "
            f"--site demo {name}"
        )
    found = session.scalar(wanted)
    if found is None:
        raise LookupError(f"There is no thread {name}" + (f" on a site {site!r}." if site else "."))
    return found


def _owed(thread_ids: Sequence[int]) -> list[int]:
    with reading() as session:
        owed = select(Thread.id).where(Thread.id.in_(thread_ids), Thread.publish_due.is_not(None))
        return list(session.scalars(owed.order_by(Thread.id)))
