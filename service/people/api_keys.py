"""API keys: creating, listing, revoking and rotating them."""

from __future__ import annotations

import re
import secrets as random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id, new_id
from models.records import ApiKey, Site
from models.store.database import now
from models.text.cleaning import clean_line
from models.text.stamps import utc_stamp
from service.http.api_keys import LADDER, METRICS, SCOPES, SITE_SCOPES, allows, hash_of
from service.http.api_types import By, Id, OneOf, Time
from service.http.problems import Problem, wrong_field
from service.moderation.log import note_act

KIND = "keys"  # in the log
MOST_NAME = 80
MOST_LIFE = timedelta(days=36_525)
MOST_OVERLAP = timedelta(days=30)
OVERLAP = timedelta(days=1)
_AFTER = re.compile(r"(\d{1,5})([hd])")


class ShownKey(TypedDict):
    """A key, without the key itself: that is shown only on creation. `hint` is how it begins.
    `replaced_by` is the new key after a rotation. With `learn`, the site's models learn from all
    decisions of this key.
    """

    id: Id
    name: Annotated[str, Field(examples=["CMS"])]
    hint: Annotated[str, Field(examples=["gr_Zm9v"])]
    scopes: list[Annotated[str, OneOf(SCOPES)]]
    learn: bool
    state: Literal["live", "expired", "revoked"]
    created_at: Time
    created_by: By | None
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None
    replaced_by: Id | None


class KeyWithSecret(ShownKey):
    """A new key. `key` is shown only once."""

    key: Annotated[str, Field(examples=["gr_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"])]


class NewKey(NamedTuple):
    """What to create."""

    scopes: Collection[str]
    name: str = ""
    expires_at: datetime | None = None
    learn: bool = False


class Made(NamedTuple):
    """A new key. `key` is kept nowhere."""

    row: ApiKey
    key: str


def create(
    session: Session,
    site_id: int | None,
    new: NewKey,
    *,
    by: str,
    within: Collection[str] = SCOPES,
) -> Made:
    """Create a key with 256 random bits; only its SHA-256 is stored.

    Raises a 422 for a bad name, scope or time, and a 403 for a scope that is not `within` those of
    the creator.
    """
    scopes = _checked_scopes(new.scopes, site_id)
    _check_within(scopes, within)
    at = now()
    if new.expires_at is not None and not at < new.expires_at <= at + MOST_LIFE:
        raise wrong_field("expires_at", "This time is in the past or too far in the future.")
    made = _make(site_id, scopes, _checked_name(new.name), by, new.expires_at)
    made.row.learn = new.learn
    session.add(made.row)
    what = f"created the key {label(made.row)} ({', '.join(scopes)})"
    note_act(session, by, KIND, what, site_id=site_id)
    return made


def _make(
    site_id: int | None, scopes: Sequence[str], name: str, by: str, expires_at: datetime | None
) -> Made:
    key = f"gr_{random.token_urlsafe(32)}"
    row = ApiKey(
        id=new_id(),
        site_id=site_id,
        scope=scopes[0],
        scopes=list(scopes),
        name=name,
        hash=hash_of(key),
        hint=key[:7],
        created_at=now(),
        created_by=by,
        expires_at=expires_at,
    )
    return Made(row, key)


def _checked_scopes(scopes: Collection[str], site_id: int | None) -> list[str]:
    """Return the scopes in the order of `SCOPES`, with only the highest of those that include each
    other.
    """
    possible = SITE_SCOPES if site_id is not None else (METRICS,)
    if wrong := [scope for scope in scopes if scope not in possible]:
        of = "A site's key" if site_id is not None else "A key of the whole installation"
        raise wrong_field(
            "scopes", f"{of} cannot have the scope {wrong[0]!r}, only {', '.join(possible)}."
        )
    ladder = [scope for scope in LADDER if scope in scopes][-1:]
    chosen = ladder + [scope for scope in possible if scope in scopes and scope not in LADDER]
    if not chosen:
        raise wrong_field("scopes", "A key needs at least one scope.")
    return chosen


def _checked_name(name: str) -> str:
    try:
        return clean_line(name, MOST_NAME)
    except ValueError as error:
        raise wrong_field("name", str(error)) from None


def _check_within(scopes: Collection[str], within: Collection[str]) -> None:
    more = [scope for scope in scopes if not allows(within, scope)]
    if more:
        raise Problem(
            403, f"Your key does not have the scope {more[0]}, so it cannot give it to another key."
        )


def listed(session: Session, site_id: int | None, *, ended: bool = True) -> list[ApiKey]:
    """Return the keys of a site, or those of the installation, newest first."""
    wanted = select(ApiKey).where(ApiKey.site_id == site_id).order_by(ApiKey.id.desc())
    return [row for row in session.scalars(wanted) if ended or state_of(row) == "live"]


def of_site(session: Session, site_id: int, key_id: str) -> ApiKey:
    """Return the key, locked against other changes. Raises a 404 for another site's."""
    row = _locked(session, key_id)
    if row is None or row.site_id != site_id:
        raise Problem(404, "There is no such key on this site.")
    return row


def any_key(session: Session, key_id: str) -> ApiKey:
    """Return the key of any site, locked against other changes. Raises a 404 if there is none."""
    row = _locked(session, key_id)
    if row is None:
        raise Problem(404, f"There is no key with the id {key_id!r}.")
    return row


def _locked(session: Session, key_id: str) -> ApiKey | None:
    return session.get(ApiKey, key_id, with_for_update=True) if is_id(key_id) else None


def lines(session: Session, site: str | None, *, ended: bool) -> list[str]:
    """Return one line per key, the id first, of one site or of all sites and the installation."""
    rows = select(ApiKey, Site.key).outerjoin(Site, Site.id == ApiKey.site_id)
    if site is not None:
        rows = rows.where(ApiKey.site_id == site_id_of(session, site))
    found = session.execute(rows.order_by(ApiKey.id.desc())).all()
    return [_line(row, key) for row, key in found if ended or state_of(row) == "live"]


def _line(row: ApiKey, site: str | None) -> str:
    parts = [row.id, site or "all sites", ",".join(scopes_of(row)), state_of(row), label(row)]
    parts.append(f"created {utc_stamp(row.created_at)} by {row.created_by or 'someone'}")
    if row.learn:
        parts.append("teaches")
    if row.expires_at is not None:
        parts.append(f"expires {utc_stamp(row.expires_at)}")
    parts.append(f"last used {utc_stamp(row.last_used_at) or 'never'}")
    if row.replaced_by is not None:
        parts.append(f"replaced by {row.replaced_by}")
    return "  ".join(parts)


def revoke(session: Session, row: ApiKey, *, by: str) -> None:
    """Make the key stop working at once. Revoking it again changes nothing."""
    if row.revoked_at is not None:
        return
    row.revoked_at = now()
    note_act(session, by, KIND, f"revoked the key {label(row)}", site_id=row.site_id)


def rotate(
    session: Session,
    row: ApiKey,
    *,
    by: str,
    overlap: timedelta = OVERLAP,
    within: Collection[str] = SCOPES,
) -> Made:
    """Create a key with the same name, scopes and lifetime. The old one works for `overlap` longer.

    Raises a 409 for a key that no longer works or was rotated before, and a 403 for a key with
    scopes that are not `within` those of the caller, who would learn the new key.
    """
    if state_of(row) != "live":
        raise Problem(409, "This key no longer works. Create a new one.")
    if row.replaced_by is not None:
        raise Problem(409, f"This key has already been rotated: {row.replaced_by} replaces it.")
    _check_within(scopes_of(row), within)
    at = now()
    expires_at = at + (row.expires_at - row.created_at) if row.expires_at else None
    made = _make(row.site_id, scopes_of(row), row.name, by, expires_at)
    made.row.learn = row.learn
    session.add(made.row)
    until = at + overlap
    row.expires_at = min(row.expires_at, until) if row.expires_at else until
    row.replaced_by = made.row.id
    what = f"rotated the key {label(row)}; the old one works until {utc_stamp(row.expires_at)}"
    note_act(session, by, KIND, what, site_id=row.site_id)
    return made


def scopes_of(row: ApiKey) -> list[str]:
    return row.scopes or [row.scope]


def state_of(row: ApiKey) -> Literal["live", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "live"


def label(row: ApiKey) -> str:
    """Return the key's name, or how it begins, for a sentence."""
    return f"“{row.name}”" if row.name else f"{row.hint}…"


def key_shape(row: ApiKey) -> ShownKey:
    return {
        "id": row.id,
        "name": row.name,
        "hint": row.hint,
        "scopes": scopes_of(row),
        "learn": row.learn,
        "state": state_of(row),
        "created_at": utc_stamp(row.created_at),
        "created_by": row.created_by,
        "expires_at": utc_stamp(row.expires_at),
        "last_used_at": utc_stamp(row.last_used_at),
        "revoked_at": utc_stamp(row.revoked_at),
        "replaced_by": row.replaced_by,
    }


def site_id_of(session: Session, site: str) -> int:
    """Return the site's id. Raises ValueError, with a message for the person, for a site that does
    not exist.
    """
    site_id = session.execute(select(Site.id).where(Site.key == site)).scalar()
    if site_id is None:
        raise ValueError(f"There is no site {site!r}.")
    return site_id


def parsed_expiry(text: str) -> datetime:
    """Parse a time from now like `90d` or `12h`, a date, or a time; UTC unless it says otherwise.

    Raises ValueError, with a message for the person, for anything else.
    """
    if after := _AFTER.fullmatch(text):
        return now() + timedelta(hours=int(after[1]) * (24 if after[2] == "d" else 1))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time. Write one like 90d, 12h, 2027-01-31 or 2027-01-31T12:00Z."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
