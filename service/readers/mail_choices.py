"""What a reader can do on the page of choices: choose mails, stop them, unfollow threads, revoke
keys. The token in the mailed link is all that they need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.mailing.choices import CHOICES, DEFAULT, LISTS, Choices, choices_of, reader_of_token
from models.records import Mailbox, Reader
from models.store.database import begin, insert_new, now, reading
from models.text.numbers import digits_to_int
from service.readers.following import FollowedThread, followed, unfollow, unfollow_all
from service.readers.reader_keys import keys_of, revoke_key
from service.sites.lookup import SiteInfo

THREAD = "thread-"  # begins the list of one thread's mails
ALL = "all"


class ShownKey(NamedTuple):
    id: str
    since: str
    used: str


class ChoicesPage(NamedTuple):
    choices: dict[str, str]
    refused_on: str | None
    threads: Sequence[FollowedThread]
    keys: Sequence[ShownKey]


class _Its(NamedTuple):
    """The reader of a token, and the address that the choices are for."""

    reader_id: str
    site_id: int
    address_index: str


def read_choices(site: SiteInfo, token: str) -> ChoicesPage | None:
    """Return what the page shows. None if the token is not one of ours, or the reader is erased."""
    with reading() as session:
        its = _reader(session, site, token)
        if its is None:
            return None
        key = (its.site_id, its.address_index)
        chosen = choices_of(session, [key]).get(key, DEFAULT)
        row = session.get(Mailbox, key)
        keys = [
            ShownKey(each.id, each.created_at.date().isoformat(), each.used_at.date().isoformat())
            for each in keys_of(session, its.reader_id)
        ]
        return ChoicesPage(
            {name: getattr(chosen, name) for name in LISTS.values()},
            row.stopped_at.date().isoformat() if row and row.stopped_at else None,
            followed(session, its.reader_id),
            keys,
        )


def choose(site: SiteInfo, token: str, chosen: Mapping[str, str]) -> bool:
    """Save choices. Unknown names and values change nothing. Return False for a wrong token."""
    values = {name: chosen[name] for name in LISTS.values() if chosen.get(name) in CHOICES}
    with begin() as session:
        its = _reader(session, site, token)
        if its is not None:
            _save(session, its, values)
        return its is not None


def stop(site: SiteInfo, token: str, list_: str) -> bool:
    """Stop one kind of mail, one thread's mails, or all. Return False for a wrong token."""
    with begin() as session:
        its = _reader(session, site, token)
        if its is None:
            return False
        if list_.startswith(THREAD):
            thread_id = digits_to_int(list_.removeprefix(THREAD), digits=18)
            if thread_id is not None:
                unfollow(session, thread_id, its.reader_id)
        elif list_ in LISTS.values():
            _save(session, its, {list_: "off"})
        else:
            _save(session, its, dict.fromkeys(LISTS.values(), "off"))
            unfollow_all(session, its.reader_id)
        return True


def unfollow_thread(site: SiteInfo, token: str, thread: str) -> bool:
    return stop(site, token, THREAD + thread)


def revoke(site: SiteInfo, token: str, key_id: str) -> bool:
    with begin() as session:
        its = _reader(session, site, token)
        if its is not None and is_id(key_id):
            revoke_key(session, its.reader_id, key_id)
        return its is not None


def _reader(session: Session, site: SiteInfo, token: str) -> _Its | None:
    reader_id = reader_of_token(token)
    if reader_id is None:
        return None
    wanted = select(Reader.id, Reader.site_id, Reader.email_index).where(
        Reader.id == reader_id, Reader.site_id == site.id, Reader.erased_at.is_(None)
    )
    row = session.execute(wanted).one_or_none()
    return _Its(*row) if row else None


def _save(session: Session, its: _Its, values: Mapping[str, str]) -> None:
    key = {"site_id": its.site_id, "address_index": its.address_index}
    default: Choices = DEFAULT
    row = {name: getattr(default, name) for name in LISTS.values()}
    session.connection().execute(insert_new(Mailbox), {**key, **row, "created_at": now()})
    mine = (Mailbox.site_id == its.site_id) & (Mailbox.address_index == its.address_index)
    if values:
        session.execute(update(Mailbox).where(mine).values(dict(values)))
