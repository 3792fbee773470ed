"""Readers who follow a thread: its new comments are mailed to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from models.records import Follow, Thread
from models.store.database import begin, insert_new, now, reading
from service.http.problems import Problem
from service.readers.identity import Identity
from service.sites.lookup import SiteInfo

NO_ADDRESS = "The reader has no confirmed address."
MOST = 500  # threads of one reader
FOLLOW, UNFOLLOW = "follow", "unfollow"  # the buttons of plain pages


class FollowedThread(NamedTuple):
    id: int
    key: str
    title: str | None


def follow(site: SiteInfo, who: Identity, thread: str, *, follows: bool) -> None:
    """Follow a thread or stop following it. Raises a 404 for a thread without a comment, and a 409
    for a reader without a confirmed address.
    """
    if follows and not who.email_is_proven:
        raise Problem(409, f"{NO_ADDRESS} Confirm one first.")
    with begin() as session:
        thread_id = session.scalar(_thread(site, thread))
        if thread_id is None:
            if not follows:
                return
            raise Problem(404, "This thread has no comment yet.")
        if not follows:
            unfollow(session, thread_id, who.reader_id)
            return
        if len(followed(session, who.reader_id)) >= MOST:
            raise Problem(409, f"You can follow at most {MOST} threads.")
        row = {"thread_id": thread_id, "reader_id": who.reader_id, "created_at": now()}
        if session.connection().execute(insert_new(Follow, "thread_id"), row).first():
            _count(session, thread_id, +1)


def change_following(site: SiteInfo, who: Identity, thread: str, do: str) -> None:
    """Do what a button of a plain page asks for. Raises the same as `follow`."""
    if do in {FOLLOW, UNFOLLOW}:
        follow(site, who, thread, follows=do == FOLLOW)


def unfollow(session: Session, thread_id: int, reader_id: str) -> None:
    its = (Follow.thread_id == thread_id) & (Follow.reader_id == reader_id)
    if session.execute(delete(Follow).where(its).returning(Follow.thread_id)).first():
        _count(session, thread_id, -1)


def unfollow_all(session: Session, reader_id: str) -> None:
    for thread in followed(session, reader_id):
        unfollow(session, thread.id, reader_id)


def follows(site: SiteInfo, who: Identity, thread: str) -> bool:
    its = Follow.thread_id.in_(_thread(site, thread)) & (Follow.reader_id == who.reader_id)
    with reading() as session:
        return session.execute(select(Follow.thread_id).where(its)).first() is not None


def followed(session: Session, reader_id: str) -> Sequence[FollowedThread]:
    """Return the threads that a reader follows, in the order of their ids."""
    wanted = select(Thread.id, Thread.key, Thread.title).join(Follow, Follow.thread_id == Thread.id)
    rows = session.execute(wanted.where(Follow.reader_id == reader_id).order_by(Thread.id))
    return [FollowedThread(*row) for row in rows]


def _thread(site: SiteInfo, key: str) -> Select[int]:
    return select(Thread.id).where(Thread.site_id == site.id, Thread.key == key)


def _count(session: Session, thread_id: int, change: int) -> None:
    its = update(Thread).where(Thread.id == thread_id)
    session.execute(its.values(followers=Thread.followers + change))
