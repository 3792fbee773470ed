"""The encrypted name and email address of a person who sent a notice."""

from __future__ import annotations

from typing import TypedDict, cast

import orjson

from models.store.secrets import decrypt_email, encrypt_email


class Contact(TypedDict):
    name: str
    email: str


NOBODY: Contact = {"name": "", "email": ""}


def seal_contact(contact: Contact) -> bytes:
    """Encrypt the contact like a commenter's address. Call this outside a transaction."""
    return encrypt_email(orjson.dumps(contact).decode())


def open_contact(sealed: bytes | None) -> Contact:
    return cast(Contact, orjson.loads(decrypt_email(sealed))) if sealed else NOBODY
