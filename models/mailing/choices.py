"""Which mails a reader wants, and the links with which they change that.

A link carries the reader's id and a signature. It needs no row, works as long as the reader exists,
and opens only the page of choices.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.records import Mailbox
from models.settings import settings
from models.store.secrets import secrets

LISTS = {"reply": "replies", "decision": "decisions", "thread": "threads"}  # by the mail's kind
CHOICES = ("now", "daily", "off")
_BYTES = 16  # of the signature


class Choices(NamedTuple):
    """Each is "now", "daily" or "off". `is_stopped` means that the mail server refused the
    address.
    """

    replies: str = "now"
    decisions: str = "now"
    threads: str = "now"
    is_stopped: bool = False

    def of(self, kind: str) -> str:
        return str(getattr(self, LISTS[kind]))


DEFAULT = Choices()
Address = tuple[int, str]  # the site's id and the keyed hash of the address


def choices_of(session: Session, addresses: Collection[Address]) -> dict[Address, Choices]:
    """Return the choices of those addresses that have any."""
    if not addresses:
        return {}
    key = tuple_(Mailbox.site_id, Mailbox.address_index)
    rows = session.scalars(select(Mailbox).where(key.in_(list(addresses))))
    return {
        (row.site_id, row.address_index): Choices(
            row.replies, row.decisions, row.threads, row.stopped_at is not None
        )
        for row in rows
    }


def choices_url(site: str, reader_id: str, *, list_: str = "") -> str:
    """Return the address of the reader's page of choices. With `list_`, it offers to stop those
    mails, and a POST with RFC 8058's field stops them at once.
    """
    page = f"{settings().base_url}/sites/{site}/mail/{choices_token(reader_id)}"
    return f"{page}?list={list_}" if list_ else page


def choices_token(reader_id: str) -> str:
    raw = UUID(reader_id).bytes
    return base64.urlsafe_b64encode(raw + _signature(raw)).decode().rstrip("=")


def reader_of_token(token: str) -> str | None:
    """Return the reader's id, or None if the token is not one of ours."""
    try:
        raw = base64.urlsafe_b64decode(token[:60].encode("ascii") + b"==")
    except ValueError:
        return None
    its_id, signature = raw[:16], raw[16:]
    if len(its_id) != 16 or not hmac.compare_digest(signature, _signature(its_id)):
        return None
    return str(UUID(bytes=its_id))


def _signature(raw: bytes) -> bytes:
    return hmac.digest(secrets().derived("mail choices"), raw, "sha256")[:_BYTES]
