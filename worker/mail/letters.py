"""What each claimed mail says, and to whom, as the database is now.

A mail that nobody should get any more is cancelled: its comment is no longer public, its reader has
unsubscribed, or the mail server has refused the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast

from cryptography.exceptions import InvalidTag
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.locales.words import words_for
from models.mailing.letter import Finished, Letter, finished_letter
from models.records import Mailbox, Site
from models.store.secrets import UnknownKey, decrypt_email
from worker.mail.messages import Subscription
from worker.mail.rounds import Due, Result


class Job(NamedTuple):
    """One message to send, for one mail, or for several that go together."""

    mails: tuple[Due, ...]
    to: str
    site: str
    letter: Letter
    subscription: Subscription | None = None


class Plan(NamedTuple):
    """What to send, and the results of mails that are not sent now."""

    jobs: list[Job]
    results: list[Result]


class _Site(NamedTuple):
    id: int
    key: str
    locale: str


def plan(session: Session, mails: Sequence[Due], at: datetime) -> Plan:
    sites = _sites(session, mails)
    stopped = _stopped(session, mails)
    planned = Plan([], [])
    for mail in mails:
        if (mail.site_id, mail.address_index) in stopped or "subject" not in mail.data:
            planned.results.append(Result(mail, "cancelled", at))
            continue
        try:
            to = decrypt_email(mail.address or b"")
        except (UnknownKey, InvalidTag):
            error = "The address can't be decrypted with the keys of this installation."
            planned.results.append(Result(mail, "owed", at, error=error))
            continue
        planned.jobs.append(_finished(mail, to, sites[mail.site_id]))
    return planned


def _finished(mail: Due, to: str, site: _Site) -> Job:
    words = words_for(site.locale)
    letter = finished_letter(
        cast("Finished", mail.data), language=words.code, direction=words.embed["dir"]
    )
    return Job((mail,), to, site.key, letter)


def _sites(session: Session, mails: Sequence[Due]) -> dict[int, _Site]:
    ids = {mail.site_id for mail in mails}
    rows = session.execute(select(Site.id, Site.key, Site.locale).where(Site.id.in_(ids)))
    return {row.id: _Site(*row) for row in rows}


def _stopped(session: Session, mails: Sequence[Due]) -> set[tuple[int, str]]:
    """Return the addresses that the mail server has refused."""
    key = tuple_(Mailbox.site_id, Mailbox.address_index)
    wanted = [(mail.site_id, mail.address_index) for mail in mails if mail.address_index]
    if not wanted:
        return set()
    rows = session.execute(
        select(Mailbox.site_id, Mailbox.address_index).where(
            key.in_(wanted), Mailbox.stopped_at.is_not(None)
        )
    )
    return {(row.site_id, row.address_index) for row in rows}
