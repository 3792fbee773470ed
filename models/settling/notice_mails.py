"""The mails to a person who sent a notice: that it was received, and what was decided."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.locales.words import Words, read_words
from models.mailing.letter import Finished, Link
from models.mailing.outbox import ENDED, owe_mail
from models.mailing.smtp import can_send
from models.records import Mail, Notice
from models.settings import settings
from models.settling.contacts import open_contact
from models.store.database import now
from models.store.secrets import UnknownKey, email_index
from models.store.signed_ids import signed
from models.text.stamps import utc_stamp

RECEIPT, OUTCOME = "notice_receipt", "notice_outcome"
MOST_RECEIPTS, HOUR = 5, timedelta(hours=1)  # mails to one address: nobody has confirmed it
TIME_TO_UNDO = timedelta(minutes=5)  # an undo until then cancels the mail


def owe_receipt(session: Session, site: str, notice: Notice) -> None:
    """Owe the confirmation that the notice was received, unless the address has got enough of
    them within the hour. The answer to the notice confirms it, too.
    """
    report = read_words(notice.language).report
    due = utc_stamp(notice.due_at)[:16].replace("T", " ")
    told = [report["notice_sent"], report["decided_by"].replace("{at}", f"{due} UTC")]
    _owe(session, site, notice, RECEIPT, report["mail_received"], told)


def owe_outcome(session: Session, site: str, notice: Notice) -> None:
    """Owe the decision on the notice, with redress and whether automated means were used."""
    words = read_words(notice.language)
    _owe(session, site, notice, OUTCOME, words.report["mail_decided"], _outcome(notice, words))


def _outcome(notice: Notice, words: Words) -> list[str]:
    report = words.report
    outcome = "set_aside" if notice.outcome == "dismissed" else notice.outcome or ""
    return [
        report[outcome],
        *([f"{report['answer']}: {notice.answer}"] if notice.answer else []),
        report["by_program" if notice.is_automated else "by_person"],
        report["redress"],
    ]


def cancel_outcome(session: Session, notice: Notice) -> None:
    """Cancel the mail about a decision that is being undone, if it was not sent yet."""
    owed = update(Mail).where(Mail.once == _once(notice, OUTCOME), Mail.state == "owed")
    session.execute(owed.values(**ENDED, state="cancelled", ended_at=now()))


def _owe(  # noqa: PLR0913, PLR0917 - the parts of one mail
    session: Session, site: str, notice: Notice, kind: str, subject: str, paragraphs: list[str]
) -> None:
    if notice.contact is None or not can_send():
        return
    address = ""
    with suppress(UnknownKey, InvalidTag):  # a decision must not fail because of a lost key
        address = open_contact(notice.contact)["email"]
    if not address or (kind == RECEIPT and _has_enough(session, notice.site_id, address)):
        return
    url = f"{settings().base_url}/sites/{site}/notices/{signed('notice', notice.id)}"
    link = Link(text=read_words(notice.language).report["notice"], url=url)
    data: Finished = {"subject": subject, "paragraphs": paragraphs, "link": link}
    owe_mail(
        session,
        site_id=notice.site_id,
        kind=kind,
        data=data,
        to=address,
        due=now() + (TIME_TO_UNDO if kind == OUTCOME else timedelta(0)),
        once=_once(notice, kind),
    )


def _has_enough(session: Session, site_id: int, address: str) -> bool:
    lately = select(func.count()).where(
        Mail.site_id == site_id,
        Mail.address_index == email_index(address),
        Mail.kind == RECEIPT,
        Mail.created_at > now() - HOUR,
    )
    return session.execute(lately).scalar_one() >= MOST_RECEIPTS


def _once(notice: Notice, kind: str) -> str:
    """Name the mail: one for each time that the notice was closed."""
    closed = notice.closed_by or (utc_stamp(notice.closed_at) if notice.closed_at else "")
    return f"{kind} {notice.id} {closed}"
