"""Who sent a request: a reader whom the site's sign-on or a confirmed address identifies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, NamedTuple

from flask import request
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Reader
from models.store.database import begin, insert_new, now, reading
from models.store.secrets import email_index, encrypt_email, keyed_hash
from models.text.folding import fold
from service.http.problems import Problem
from service.http.requests import FORM
from service.readers.tokens import Claims, WrongToken, check_token
from service.sites.lookup import SiteInfo

IDENTITY = "Greenroom-Identity"
FIELD = "identity"
KEY_PREFIX = "rk_"
MOST_FOLDED = 300
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


def identify(site: SiteInfo, field: str | None = None) -> Identity | None:
    """Return the reader of this request, or None for an anonymous one.

    The header counts first, then the form's field `identity`. Give `field` if the body was read
    already. Raises a 401 that says why the token or key is not accepted.
    """
    given = request.headers.get(IDENTITY) or field
    if given is None and request.mimetype == FORM:
        given = request.form.get(FIELD)
    given = (given or "").strip()
    if not given:
        return None
    if given.startswith(KEY_PREFIX):
        raise not_accepted("This reader key is unknown or was revoked.")
    try:
        claims = check_token(site, given)
    except WrongToken as error:
        raise not_accepted(f"The identity token is not accepted. {error}") from None
    return _signed_on(site, claims)


def not_accepted(detail: str) -> Problem:
    """Return the 401 for an identity that is missing or wrong."""
    return Problem(401, detail, headers={"WWW-Authenticate": f'{IDENTITY} realm="greenroom"'})


def _signed_on(site: SiteInfo, claims: Claims) -> Identity:
    reader_id = remember(
        site,
        "signed_on",
        subject=keyed_hash("signed-on reader", str(site.id), claims.subject),
        name=claims.name,
        email=claims.email if claims.email_is_proven else None,
        url=claims.url,
        avatar=claims.avatar,
        badges=claims.badges,
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


def remember(
    site: SiteInfo,
    kind: Kind,
    *,
    subject: str,
    name: str,
    email: str | None,
    url: str | None = None,
    avatar: str | None = None,
    badges: tuple[str, ...] = (),
) -> str:
    """Store what is known of a reader now, and return the reader's id. A reader who has not changed
    since the last hour costs one query.
    """
    index = email_index(email) if email else ""
    said: dict[str, Any] = {
        "name": name,
        "folded_name": fold(name)[:MOST_FOLDED],
        "email_index": index,
        "url": url,
        "avatar": avatar,
        "badges": list(badges) or None,
        "erased_at": None,
    }
    its = (Reader.site_id == site.id) & (Reader.kind == kind) & (Reader.subject == subject)
    with reading() as session:
        known = session.scalar(select(Reader).where(its))
    at = now()
    if (
        known
        and _is_same(known, said)
        and (at - known.seen_at).total_seconds() < SEEN_EVERY_SECONDS
    ):
        return known.id
    said["seen_at"] = at
    if known is None or known.email_index != index:
        said["email"] = encrypt_email(email) if email else None
    with begin() as session:
        if known is None:
            row = {"id": new_id(), "site_id": site.id, "kind": kind, "subject": subject, **said}
            session.connection().execute(insert_new(Reader), {**row, "created_at": at})
        changed = update(Reader).where(its).values(said).returning(Reader.id)
        return session.execute(changed).scalar_one()


def _is_same(known: Reader, said: dict[str, Any]) -> bool:
    return all(getattr(known, column) == value for column, value in said.items())
