"""Prove that a reader owns an email address, without an account and without a cookie.

The browser that asks gets a secret and shows a short code. A link is mailed to the address. The
page behind it asks for the code; only then is the address proven, and only the browser with the
secret gets the reader's key. So a link scanner confirms nothing, and a stranger who enters somebody
else's address gets nothing when its owner opens the link.
"""

from __future__ import annotations

import hashlib
import secrets as random
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.locales.words import words_for
from models.mailing.letter import Finished, site_name
from models.mailing.outbox import owe_mail
from models.mailing.smtp import can_send
from models.records import Block, Mail, Mailbox, Proof, Reader, ReaderKey
from models.store.database import begin, insert_new, now, reading
from models.store.secrets import decrypt_email, email_index, encrypt_email, keyed_hash
from models.text.cleaning import MOST_TIMES, clean_line
from models.text.disposable import disposable_host, parents
from models.text.email import MOST_EMAIL
from service.comments.submission import email_address
from service.http.listening import public_url
from service.http.problems import Problem
from service.readers.identity import KEY_PREFIX, Known, remember
from service.sites.lookup import SiteInfo
from worker.bell import MAIL, ring_soon

LASTS = timedelta(hours=2)
HOUR = timedelta(hours=1)
# Requests for one address, of which the newest count. More than one IP address may send in an hour,
# so that a stranger cannot displace the owner's own; few enough that a wrong code fits none.
MOST_OPEN = 30
MOST_WRONG_CODES = 5
REFUSED_FOR = timedelta(days=7)  # no mail to an address that the mail server refused since then
SECRET_PREFIX = "cf_"
MOST_SECRET = 100  # characters


class NewProof(BaseModel):
    """An address to confirm, and the name under which its reader comments."""

    model_config = ConfigDict(strict=True, extra="ignore")

    email: Annotated[
        str,
        StringConstraints(max_length=MOST_EMAIL * MOST_TIMES),
        Field(json_schema_extra={"maxLength": MOST_EMAIL}, examples=["ann@example.org"]),
    ]
    name: Annotated[
        str,
        StringConstraints(max_length=80 * MOST_TIMES),
        Field(json_schema_extra={"maxLength": 80}, examples=["Ann"]),
    ] = ""

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        address = email_address(value)
        domain = address.rpartition("@")[2].lower()
        if host := disposable_host(domain):
            raise ValueError(f"{host} provides disposable addresses. Use another address.")
        return address

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return clean_line(value.replace("\0", ""), 80)


class Asked(NamedTuple):
    """`secret` is for the browser that asked; its reader types `code` behind the mailed link."""

    secret: str
    code: str
    expires_at: datetime


def ask(site: SiteInfo, said: NewProof) -> Asked:
    """Begin to prove an address, and owe its mail. The answer is the same whether a mail is sent or
    not: an address gets at most one an hour, and a blocked one gets none.

    Raises a 409 if this installation sends no mail.
    """
    if not can_send():
        raise Problem(409, "This site can't send mail, so addresses can't be confirmed here.")
    secret, at = SECRET_PREFIX + random.token_urlsafe(24), now()
    index = email_index(said.email)
    row = {
        "id": new_id(),
        "site_id": site.id,
        "address": encrypt_email(said.email),
        "address_index": index,
        "name": said.name,
        "secret_hash": _hash(secret),
        "code_hash": _code_hash(site.id, index, code_of(secret)),
        "link_hash": None,
        "wrong_codes": 0,
        "created_at": at,
        "expires_at": at + LASTS,
    }
    with begin() as session:
        if _may_get_mail(session, site.id, index, said.email):
            link = random.token_urlsafe(24)
            if _owe(session, site, said.email, link, at):
                row["link_hash"] = _hash(link)
        session.connection().execute(insert_new(Proof), row)
    ring_soon(MAIL, 1)
    return Asked(secret, code_of(secret), at + LASTS)


def _may_get_mail(session: Session, site_id: int, index: str, address: str) -> bool:
    at = now()
    since = at - HOUR
    lately = select(Mail.id).where(
        Mail.site_id == site_id,
        Mail.address_index == index,
        Mail.kind == "confirm",
        Mail.created_at > since,
    )
    refused = select(Mailbox.site_id).where(
        Mailbox.site_id == site_id,
        Mailbox.address_index == index,
        Mailbox.stopped_at > at - REFUSED_FOR,
    )
    hosts = parents(address.rpartition("@")[2].lower())
    blocked = select(Block.id).where(
        Block.site_id == site_id,
        Block.stance == "block",
        Block.ended_at.is_(None),
        or_(Block.until.is_(None), Block.until > at),
        or_(
            (Block.kind == "author") & (Block.value == index),
            (Block.kind == "host") & Block.value.in_(hosts),
        ),
    )
    return not any(session.execute(each.limit(1)).first() for each in (lately, refused, blocked))


def _owe(session: Session, site: SiteInfo, address: str, link: str, at: datetime) -> str | None:
    words, name = words_for(site.locale).mail, site_name(site.key, site.stored_origins)
    url = f"{public_url()}/sites/{site.key}/confirm/link/{link}"
    paragraphs = [words[key].replace("{site}", name) for key in _CONFIRM]
    letter: Finished = {
        "subject": words["confirm_subject"].replace("{site}", name),
        "paragraphs": paragraphs,
        "link": {"text": words["confirm"], "url": url},
    }
    # Two requests at the same moment make one mail.
    once = f"confirm:{site.id}:{email_index(address)}:{int(at.timestamp()) // 3600}"
    return owe_mail(
        session, site_id=site.id, to=address, kind="confirm", data=dict(letter), once=once
    )


_CONFIRM = ("confirm_why", "confirm_how", "confirm_ignore")


def code_of(secret: str) -> str:
    """Return the six digits that go with the secret. They are not stored, so every page of the
    browser that asked can show them again.
    """
    return f"{int(keyed_hash('confirmation code', secret)[:12], 16) % 10**6:06}"


# The page behind the mailed link


def is_open(site: SiteInfo, link: str) -> bool:
    """Whether the link can still be used."""
    with reading() as session:
        mailed = _mailed(session, site, link)
        return mailed is not None and bool(_open(session, mailed))


def confirm(site: SiteInfo, link: str, code: str) -> Literal["confirmed", "wrong", "ended"]:
    """Prove the address of the link for the browser that shows this code.

    Every wrong code counts against all open requests for the address, so nobody can try many.
    """
    digits = "".join(character for character in code[:40] if character.isdecimal())
    with begin() as session:
        mailed = _mailed(session, site, link)
        proofs = _open(session, mailed, lock=True) if mailed else []
        if mailed is None or not proofs:
            return "ended"
        meant = _code_hash(site.id, mailed.address_index, digits)
        fitting = next((proof for proof in proofs if proof.code_hash == meant), None)
        if fitting is None:
            for proof in proofs:
                proof.wrong_codes += 1
            return "wrong"
        fitting.confirmed_at = now()
        _accept_mail(session, site.id, mailed.address_index)
    return "confirmed"


def _mailed(session: Session, site: SiteInfo, link: str) -> Proof | None:
    its = (Proof.site_id == site.id) & (Proof.link_hash == _hash(link[:MOST_SECRET]))
    return session.scalar(select(Proof).where(its, Proof.expires_at > now()))


def _open(session: Session, mailed: Proof, *, lock: bool = False) -> list[Proof]:
    """Return the newest requests for the address of this link that wait for their code. The link
    of an earlier mail serves them, too, because there is one mail an hour.
    """
    wanted = select(Proof).where(
        Proof.site_id == mailed.site_id,
        Proof.address_index == mailed.address_index,
        Proof.expires_at > now(),
        Proof.confirmed_at.is_(None),
        Proof.wrong_codes < MOST_WRONG_CODES,
    )
    wanted = wanted.order_by(Proof.created_at.desc()).limit(MOST_OPEN)
    return list(session.scalars(wanted.with_for_update() if lock else wanted))


def _accept_mail(session: Session, site_id: int, index: str) -> None:
    """Send mail again to an address that the mail server had refused: it has just arrived there."""
    its = (Mailbox.site_id == site_id) & (Mailbox.address_index == index)
    session.execute(update(Mailbox).where(its).values(stopped_at=None, stopped_why=None))


# The browser that asked


class Claimed(NamedTuple):
    """`key` is the reader's key once the address is proven."""

    status: Literal["waiting", "confirmed", "ended"]
    key: str | None = None


def claim(site: SiteInfo, secret: str) -> Claimed:
    """Return the reader's key if the address of this request has been proven. It is the same key
    each time, because an answer may be lost.
    """
    wanted = select(Proof).where(
        Proof.site_id == site.id,
        Proof.secret_hash == _hash(secret[:MOST_SECRET]),
        Proof.expires_at > now(),
    )
    with reading() as session:
        proof = session.scalar(wanted)
    if proof is None or (proof.confirmed_at is None and proof.wrong_codes >= MOST_WRONG_CODES):
        return Claimed("ended")
    if proof.confirmed_at is None:
        return Claimed("waiting")
    key = KEY_PREFIX + keyed_hash("reader key", secret)[:48]
    reader_id = _reader(site, proof)
    at = now()
    with begin() as session:
        if session.scalar(select(Proof.id).where(Proof.id == proof.id)) is None:
            return Claimed("ended")
        new = {"id": proof.id, "reader_id": reader_id, "hash": _hash(key)}
        session.connection().execute(
            insert_new(ReaderKey), {**new, "created_at": at, "used_at": at}
        )
    return Claimed("confirmed", key)


def _reader(site: SiteInfo, proof: Proof) -> str:
    """Return the reader with this address, made now if it is new. A new name replaces the old."""
    subject = keyed_hash("proven reader", str(site.id), proof.address_index)
    with reading() as session:
        old = session.scalar(
            select(Reader.name).where(
                Reader.site_id == site.id, Reader.kind == "proven", Reader.subject == subject
            )
        )
    name = proof.name or old or ""
    return remember(site, Known("proven", subject, name, decrypt_email(proof.address)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _code_hash(site_id: int, index: str, code: str) -> str:
    return keyed_hash("confirmation", str(site_id), index, code)
