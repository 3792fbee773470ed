"""The encrypted name and email address of a person who sent a notice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict, cast

import orjson
from sqlalchemy import Update, update

from models.records import Notice
from models.store.secrets import decrypt_email, encrypt_email

# Six months after the decision, as long as the person can object to it.
KEPT_FOR = timedelta(days=183)


class Contact(TypedDict):
    name: str
    email: str


NOBODY: Contact = {"name": "", "email": ""}


def seal_contact(contact: Contact) -> bytes:
    """Encrypt the contact like a commenter's address. Call this outside a transaction."""
    return encrypt_email(orjson.dumps(contact).decode())


def open_contact(sealed: bytes | None) -> Contact:
    return cast(Contact, orjson.loads(decrypt_email(sealed))) if sealed else NOBODY


def forgotten_contacts(at: datetime) -> Update:
    """Return the statement that deletes the contacts of notices that were closed long ago."""
    old = update(Notice).where(Notice.contact.is_not(None), Notice.closed_at < at - KEPT_FOR)
    return old.values(contact=None)
