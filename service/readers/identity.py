"""Who sent a request: a reader whom the site's sign-on or a confirmed address identifies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from flask import request
from sqlalchemy import select, update

from models.identifiers import new_id
from models.judgement.policy import MayPost
from models.records import Reader
from models.store.database import begin, insert_new, now, reading
from models.store.secrets import decrypt_email, email_index, encrypt_email, keyed_hash
from models.text.names import name_key
from service.http.problems import Problem
from service.http.requests import FORM
from service.readers.reader_keys import reader_of_key
from service.readers.tokens import Claims, WrongToken, check_token
from service.sites.lookup import SiteInfo

IDENTITY = "Greenroom-Identity"
FIELD = "identity"
KEY_PREFIX = "rk_"
SEEN_EVERY = timedelta(hours=1)

Kind = Literal["signed_on", "proven"]


class Identity(NamedTuple):
    """A reader who is known. `reader_id` is the row in `readers`.

    `email` may come from the site without proof; `email_is_proven` says whether it is confirmed.
    """

    reader_id: str
    kind: Kind
    name: str
    email: str | None
    url: str | None
    badges: tuple[str, ...]
    email_is_proven: bool

    def fill(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return a comment's fields with what is known of its author. The site's word replaces
        what was typed; a reader with a confirmed address may type another name.
        """
        known = {"email": self.email, "website": self.url}
        if self.kind == "signed_on" or not fields.get("name"):
            known["name"] = self.name
        typed = {name: value for name, value in fields.items() if value is not None}
        return typed | {name: value for name, value in known.items() if value}


def identify(site: SiteInfo, field: str | None = None, *, spend: bool = True) -> Identity | None:
    """Return the reader of this request, or None for an anonymous one.

    The header counts first, then the form's field `identity`. Give `field` if the body was read
    already. On a site with single-use tokens, `spend` makes this the token's only use. Raises a
    401 that says why the token or key is not accepted.
    """
    given = request.headers.get(IDENTITY) or field
    if given is None and request.mimetype == FORM:
        given = request.form.get(FIELD)
    given = (given or "").strip()
    if not given:
        return None
    if given.startswith(KEY_PREFIX):
        return _with_key(site, given)
    try:
        claims = check_token(site, given, spend=spend)
    except WrongToken as error:
        raise not_accepted(f"The identity token is not accepted. {error}") from None
    return _signed_on(site, claims)


def _with_key(site: SiteInfo, key: str) -> Identity:
    reader = reader_of_key(site.id, key)
    if reader is None:
        raise not_accepted("This reader key is unknown or was revoked.")
    email = decrypt_email(reader.email) if reader.email else None
    badges = tuple(reader.badges or ())
    return Identity(reader.id, "proven", reader.name, email, reader.url, badges, email is not None)


def not_accepted(detail: str, *, needs: MayPost | None = None) -> Problem:
    """Return the 401 for an identity that is wrong, or that the site `needs` and is missing."""
    problem = Problem(401, detail, headers={"WWW-Authenticate": f'{IDENTITY} realm="greenroom"'})
    if needs:
        problem.more["needs"] = needs
    return problem


def _signed_on(site: SiteInfo, claims: Claims) -> Identity:
    proven = claims.email if claims.email_is_proven else None
    reader_id = remember(
        site,
        Known(
            "signed_on",
            keyed_hash("signed-on reader", str(site.id), claims.subject),
            claims.name,
            proven,
            claims.url,
            claims.avatar,
            claims.badges,
        ),
    )
    return Identity(
        reader_id,
        "signed_on",
        claims.name,
        claims.email,
        claims.url,
        claims.badges,
        claims.email_is_proven,
    )


class Known(NamedTuple):
    """What is known of a reader now. `subject` is the keyed hash that finds the row again; `email`
    is a confirmed address.
    """

    kind: Kind
    subject: str
    name: str
    email: str | None
    url: str | None = None
    avatar: str | None = None
    badges: tuple[str, ...] = ()


def remember(site: SiteInfo, known: Known) -> str:
    """Store what is known of a reader, and return the reader's id. This costs one query if nothing
    has changed within the last hour.
    """
    values = _values(known)
    its = (
        (Reader.site_id == site.id)
        & (Reader.kind == known.kind)
        & (Reader.subject == known.subject)
    )
    with reading() as session:
        row = session.scalar(select(Reader).where(its))
    at = now()
    if row and _is_same(row, values) and at - row.seen_at < SEEN_EVERY:
        return row.id
    values["seen_at"] = at
    if row is None or row.email_index != values["email_index"]:
        values["email"] = encrypt_email(known.email) if known.email else None
    with begin() as session:
        if row is None:
            new = {"id": new_id(), "site_id": site.id, "created_at": at, **values}
            new |= {"kind": known.kind, "subject": known.subject}
            session.connection().execute(insert_new(Reader), new)
        changed = update(Reader).where(its).values(values).returning(Reader.id)
        return session.execute(changed).scalar_one()


def _values(known: Known) -> dict[str, Any]:
    return {
        "name": known.name,
        "folded_name": name_key(known.name),
        "email_index": email_index(known.email) if known.email else "",
        "url": known.url,
        "avatar": known.avatar,
        "badges": list(known.badges) or None,
        "erased_at": None,
    }


def _is_same(row: Reader, values: dict[str, Any]) -> bool:
    return all(getattr(row, column) == value for column, value in values.items())
