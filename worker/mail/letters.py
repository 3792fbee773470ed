"""What each claimed mail says, and to whom, as the database is now.

A mail that nobody should get any more is cancelled: its comment is no longer public, the decision
was undone, its reader has unsubscribed, or the mail server has refused the address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from cryptography.exceptions import InvalidTag
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models.locales.words import Words, words_for
from models.mailing.choices import DEFAULT, LISTS, Choices, choices_of, choices_url
from models.mailing.letter import Finished, Letter, Link, Part, finished_letter, site_name
from models.records import Comment, Follow, Reader, Site, Thread
from models.settings import settings
from models.settling.appealing import Reasons, in_words, reasons_of
from models.settling.history import that_stand
from models.store.receipts import receipt_of
from models.store.secrets import UnknownKey, decrypt_email
from worker.mail.messages import Subscription
from worker.mail.rounds import Due, Result

MOST_QUOTED = 800  # characters of a comment
MOST_PARTS = 50  # of one mail
DAILY_AT = 6  # o'clock in UTC
UNPUBLISHED = timedelta(seconds=5)  # until we look again whether a page shows the comment
UNREADABLE = "The address can't be decrypted with the keys of this installation."


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
    name: str
    words: Words


class _Reader(NamedTuple):
    id: str
    email: bytes | None
    address_index: str


class _Told(NamedTuple):
    """A comment with its thread."""

    id: str
    status: str
    is_published: bool
    name: str
    body: str
    thread_id: int
    title: str | None


class _Ready(NamedTuple):
    """A mail to a reader that is still true, ready to be written."""

    mail: Due
    reader: _Reader
    comment: _Told
    reasons: Reasons = Reasons(None, None)


_Group = tuple[str, bool, int | str]


def plan(session: Session, mails: Sequence[Due], at: datetime) -> Plan:
    """Decide what becomes of each mail. Mails about followed threads must have a reader."""
    sites = _sites(session, mails)
    planned = Plan([], [])
    _plan_addressed(session, [mail for mail in mails if mail.address], sites, planned, at)
    known = _Known(session, [mail for mail in mails if not mail.address])
    groups: defaultdict[_Group, list[_Ready]] = defaultdict(list)
    for mail in mails:
        if mail.address:
            continue
        told = known.judge(mail, at)
        if isinstance(told, Result):
            planned.results.append(told)
        else:
            groups[_group_of(told)].append(told)
    for together in groups.values():
        _write(together, sites[together[0].mail.site_id], planned, at)
    return planned


def _plan_addressed(
    session: Session,
    mails: Sequence[Due],
    sites: Mapping[int, _Site],
    planned: Plan,
    at: datetime,
) -> None:
    """Plan mails with an address and finished words. They have no choices, but go to no address
    that the mail server has refused.
    """
    chosen = choices_of(session, {(mail.site_id, mail.address_index) for mail in mails})
    for mail in mails:
        if chosen.get((mail.site_id, mail.address_index), DEFAULT).is_stopped:
            planned.results.append(Result(mail, "cancelled", at))
            continue
        to = _decrypted(mail.address)
        if to is None:
            planned.results.append(Result(mail, "owed", at, error=UNREADABLE))
            continue
        site = sites[mail.site_id]
        letter = finished_letter(
            cast("Finished", mail.data),
            language=site.words.code,
            direction=site.words.embed["dir"],
        )
        planned.jobs.append(Job((mail,), to, site.name, letter))


class _Known:
    """What the database says about readers, their choices, and comments of these mails."""

    def __init__(self, session: Session, mails: Sequence[Due]) -> None:
        readers = {mail.reader_id for mail in mails}
        rows = session.execute(
            select(Reader.id, Reader.site_id, Reader.email, Reader.email_index).where(
                Reader.id.in_(readers), Reader.erased_at.is_(None)
            )
        ).all()
        self.readers = {row.id: _Reader(row.id, row.email, row.email_index) for row in rows}
        self.choices = choices_of(session, {(row.site_id, row.email_index) for row in rows})
        self.comments = _comments(session, mails)
        followed = select(Follow.thread_id, Follow.reader_id).where(Follow.reader_id.in_(readers))
        decisions = [str(mail.data["decision"]) for mail in mails if mail.kind == "decision"]
        self.reasons = reasons_of(session, decisions)
        self.standing = that_stand(session, decisions)
        self.follows = {(row.thread_id, row.reader_id) for row in session.execute(followed)}

    def judge(self, mail: Due, at: datetime) -> _Ready | Result:
        """Return the mail ready to be written, or what becomes of it instead."""
        reader, comment = (
            self.readers.get(mail.reader_id or ""),
            self.comments.get(mail.comment_id or ""),
        )
        if reader is None or comment is None or not reader.email:
            return Result(mail, "cancelled", at)
        mail = mail._replace(address_index=reader.address_index)
        choices: Choices = self.choices.get((mail.site_id, reader.address_index), DEFAULT)
        wanted = choices.of(mail.kind)
        if choices.is_stopped or wanted == "off" or not self._is_true(mail, reader, comment):
            return Result(mail, "cancelled", at)
        if wanted == "daily" and not mail.is_daily:
            return Result(mail, "owed", at, later=next_digest(at), is_daily=True)
        if mail.kind != "decision" and not comment.is_published:
            return Result(mail, "owed", at, later=at + UNPUBLISHED)
        reasons = self.reasons.get(str(mail.data.get("decision")), Reasons(None, None))
        return _Ready(mail, reader, comment, reasons)

    def _is_true(self, mail: Due, reader: _Reader, comment: _Told) -> bool:
        if mail.kind == "decision":
            return mail.data.get("decision") in self.standing
        follows = (comment.thread_id, reader.id) in self.follows
        return comment.status == "approved" and (mail.kind != "thread" or follows)


def next_digest(at: datetime) -> datetime:
    today = at.replace(hour=DAILY_AT, minute=0, second=0, microsecond=0)
    return today if at < today else today + timedelta(days=1)


def _group_of(told: _Ready) -> _Group:
    """Name the message that the mail belongs to: all daily ones of a reader go together, and all
    about a thread.
    """
    mail = told.mail
    if mail.is_daily:
        return told.reader.id, True, ""
    return told.reader.id, False, told.comment.thread_id if mail.kind == "thread" else mail.id


def _write(together: Sequence[_Ready], site: _Site, planned: Plan, at: datetime) -> None:
    first = together[0]
    mails = tuple(told.mail for told in together)
    to = _decrypted(first.reader.email)
    if to is None:
        planned.results.extend([Result(mail, "owed", at, error=UNREADABLE) for mail in mails])
        return
    words = site.words.mail
    parts = [part for told in together[:MOST_PARTS] for part in _parts(told, site)]
    subject = _subject(first, site)
    list_ = LISTS[first.mail.kind]
    if len(together) > 1 and first.mail.is_daily:
        subject, list_ = words["digest_subject"].replace("{site}", site.name), "all"
    elif first.mail.kind == "thread":
        list_ = f"thread-{first.comment.thread_id}"
    stop = choices_url(site.key, first.reader.id, list_=list_)
    footer: list[str | Link] = [
        words["why"].replace("{site}", site.name),
        {"text": words["stop_all" if list_ == "all" else "stop"], "url": stop},
        {"text": words["choices"], "url": choices_url(site.key, first.reader.id)},
    ]
    letter = Letter(subject, parts, footer, site.words.code, site.words.embed["dir"])
    planned.jobs.append(Job(mails, to, site.name, letter, Subscription(list_, site.key, stop)))


def _subject(told: _Ready, site: _Site) -> str:
    return _filled(f"{_form(told)}_subject", told, site)


def _parts(told: _Ready, site: _Site) -> list[Part]:
    """Return what to say about one comment; after a rejection, also the reasons."""
    words, kind, base = site.words.mail, told.mail.kind, settings().base_url
    if kind == "decision":
        url = f"{base}/sites/{site.key}/receipts/{receipt_of(told.comment.id)}"
    else:
        url = f"{base}/sites/{site.key}/c/{told.comment.id}"
    text = _filled(f"{_form(told)}_text", told, site)
    reasons = in_words(told.reasons, site.words)
    link: Link = {"text": words[f"{kind}_see"], "url": url}
    return [Part("", [text], quoted(told.comment.body)), Part("", reasons, "", link)]


def _form(told: _Ready) -> str:
    """Return the first word of the texts for this mail."""
    if told.mail.kind == "decision":
        return "approved" if told.comment.status == "approved" else "rejected"
    return told.mail.kind


def _filled(name: str, told: _Ready, site: _Site) -> str:
    words = site.words.mail
    title = told.comment.title or words["article"]
    return words[name].replace("{name}", told.comment.name).replace("{title}", title)


def quoted(body: str) -> str:
    """Return the beginning of a comment as it was typed."""
    body = body.strip()
    return body if len(body) <= MOST_QUOTED else f"{body[:MOST_QUOTED].rstrip()} …"


def _decrypted(sealed: bytes | None) -> str | None:
    try:
        return decrypt_email(sealed or b"")
    except (UnknownKey, InvalidTag):
        return None


def _sites(session: Session, mails: Sequence[Due]) -> dict[int, _Site]:
    ids = {mail.site_id for mail in mails}
    wanted = select(Site.id, Site.key, Site.locale, Site.origins).where(Site.id.in_(ids))
    return {
        row.id: _Site(row.id, row.key, site_name(row.key, row.origins), words_for(row.locale))
        for row in session.execute(wanted)
    }


def _comments(session: Session, mails: Sequence[Due]) -> dict[str, _Told]:
    ids = {mail.comment_id for mail in mails}
    columns = (
        *(Comment.id, Comment.status, Comment.revision, Comment.name),
        *(Comment.body, Comment.thread_id, Thread.title, Thread.published_revision),
    )
    wanted = select(*columns).join(Thread, Thread.id == Comment.thread_id)
    return {row.id: _told(row) for row in session.execute(wanted.where(Comment.id.in_(ids)))}


def _told(row: Row[*tuple[object, ...]]) -> _Told:
    return _Told(
        row.id,
        row.status,
        row.published_revision >= row.revision,
        row.name,
        row.body,
        row.thread_id,
        row.title,
    )
