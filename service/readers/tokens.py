"""Check a sign-on token: a JWT with which a site says who its reader is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from email_validator import EmailNotValidError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.records import SpentToken
from models.store.database import begin, insert_new, now, reading
from models.store.secrets import keyed_hash
from models.text.cleaning import clean_line, is_blank
from models.text.email import MOST_EMAIL, parsed_email
from models.text.urls import link
from service.readers.jwks import NoKeys, keys_for
from service.readers.sign_on import (
    HS256,
    Secret,
    Settings,
    is_revoked,
    live_secrets,
    note_use,
    settings_of,
)
from service.sites.lookup import SiteInfo

if TYPE_CHECKING:
    from jwt.types import Options

MOST_TOKEN = 8192  # characters; browsers and proxies accept no longer headers anyway
MOST_AHEAD = timedelta(minutes=10)
CLOCK_SKEW = timedelta(seconds=5)  # of `iat`: the clocks of two servers differ a little
MOST_SUBJECT, MOST_JTI, MOST_NAME, MOST_LINK = 255, 255, 80, 500
MOST_BADGES, MOST_BADGE = 5, 30
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of surrogate pairs


_ONLY_THE_SIGNATURE: Options = {
    "enforce_minimum_key_length": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class WrongToken(Exception):
    """The token is not accepted. The message says why, in a sentence for the site's developer."""


class Claims(NamedTuple):
    """The statements of an accepted token. `ignored` tells the developer which optional claims
    have no usable value.
    """

    subject: str
    name: str
    email: str | None
    email_is_proven: bool
    url: str | None
    avatar: str | None
    badges: tuple[str, ...]
    expires_at: datetime
    ignored: tuple[str, ...]


def check_token(site: SiteInfo, token: str, *, spend: bool = True) -> Claims:
    """Return what the token says of its reader. Raises `WrongToken`.

    On a site with single-use tokens, `spend` makes this the token's only use.
    """
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if kid is not None and not _is_text(kid):
        raise WrongToken("`kid` in its header must be text.")
    with reading() as session:
        settings = settings_of(session, site.id)
        if algorithm not in settings.algorithms:
            accepted = " or ".join(settings.algorithms)
            raise WrongToken(
                f"It is signed with {_shown(algorithm)}. This site accepts {accepted}."
            )
        secrets = _secrets_for(session, site, kid) if algorithm == HS256 else []
    if algorithm == HS256:
        nth, payload = _verified(token, [secret.key for secret in secrets], algorithm)
        note_use(secrets[nth])
    else:  # fetched outside the transaction
        _, payload = _verified(token, _public_keys(settings, kid, algorithm), algorithm)
    expires_at = _check_times(payload)
    _check_site(payload, site)
    claims = _claims(payload, expires_at)
    if settings.is_single_use:
        _spend(site, payload, expires_at, for_good=spend)
    return claims


def _verified(token: str, keys: Sequence[Any], algorithm: str) -> tuple[int, dict[str, Any]]:
    """Return which of the keys has signed the token, and its payload."""
    for nth, key in enumerate(keys):
        payload = _payload(token, key, algorithm)
        if payload is not None:
            return nth, payload
    raise WrongToken("Its signature does not match. It was signed with another key or changed.")


def _header(token: str) -> dict[str, Any]:
    import jwt  # noqa: PLC0415 - most processes never see a token

    if len(token) > MOST_TOKEN:
        raise WrongToken(f"It is too long: at most {MOST_TOKEN:,} characters.")
    try:
        return jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, UnicodeError):
        raise WrongToken("It is not a JWT: it needs a header, a payload and a signature.") from None


def _payload(token: str, key: Any, algorithm: str) -> dict[str, Any] | None:
    """Return the payload, or None if the key does not fit. `_check_times` and `_check_site` check
    the claims that PyJWT could, with our own words and clock.
    """
    import jwt  # noqa: PLC0415

    try:
        payload: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            options=_ONLY_THE_SIGNATURE,
        )
    except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
        return None
    except (jwt.InvalidTokenError, UnicodeError) as error:
        raise WrongToken(f"It cannot be read: {error}.") from None
    return payload


def _secrets_for(session: Session, site: SiteInfo, kid: str | None) -> list[Secret]:
    """Return the secrets that may have signed the token: the one it names, or every live one."""
    live = live_secrets(session, site.id)
    if not live:
        raise WrongToken("This site has no secret. Create one with `greenroom sso create`.")
    if kid is None:
        return live
    named = [secret for secret in live if secret.kid == kid]
    if not named:
        was = "was revoked" if is_revoked(session, site.id, kid) else "is not one of this site's"
        raise WrongToken(f"The secret that its header names, `kid` {_shown(kid)}, {was}.")
    return named


def _public_keys(settings: Settings, kid: str | None, algorithm: str) -> Sequence[Any]:
    """Return the public keys that may have signed the token."""
    if not settings.jwks_url:
        raise WrongToken("This site has no JWKS URL. Enter it on the site's sign-on page.")
    try:
        keys = keys_for(settings.jwks_url, kid, algorithm)
    except NoKeys as error:
        raise WrongToken(f"The site's public keys are not available. {error}") from None
    if not keys:
        named = f" with the `kid` {_shown(kid)}" if kid else ""
        raise WrongToken(f"The site's JWKS URL has no {algorithm} key{named}.")
    return keys


def _shown(value: object) -> str:
    """Return a value of the token for a message: short, and on one line."""
    return repr(value)[:40] if value is not None else "nothing"


def _check_times(payload: dict[str, Any]) -> datetime:
    """Check `exp`, `iat` and `nbf`, in seconds since 1970. Return when the token expires."""
    at = now()
    expires_at = _moment(payload, "exp")
    if expires_at is None:
        raise WrongToken("`exp` is missing. Set it to a time at most 10 minutes ahead.")
    if expires_at <= at:
        raise WrongToken("It has expired. Send a new token.")
    if expires_at > at + MOST_AHEAD:
        raise WrongToken("`exp` is too far ahead: at most 10 minutes from now.")
    for claim in ("iat", "nbf"):
        moment = _moment(payload, claim)
        if moment is not None and moment > at + CLOCK_SKEW:
            raise WrongToken(f"`{claim}` is in the future. Check the clock of the server.")
    return expires_at


def _moment(payload: dict[str, Any], claim: str) -> datetime | None:
    value = payload.get(claim)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        if is_number and math.isfinite(value):
            return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        pass
    raise WrongToken(f"`{claim}` must be a time in seconds since 1970.")


def _check_site(payload: dict[str, Any], site: SiteInfo) -> None:
    if payload.get("iss") != site.key:
        raise WrongToken(f"`iss` must be the site's key, {site.key}.")
    audience = payload.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if audience is not None and site.key not in audiences:
        raise WrongToken(f"`aud` must be the site's key, {site.key}, or be left out.")


def _claims(payload: dict[str, Any], expires_at: datetime) -> Claims:
    ignored: list[str] = []
    email = _email(payload)
    return Claims(
        subject=_line(payload, "sub", MOST_SUBJECT),
        name=_line(payload, "name", MOST_NAME),
        email=email,
        email_is_proven=email is not None and payload.get("email_verified") is True,
        url=_link(payload, "url", ("https:", "http:"), ignored),
        avatar=_link(payload, "avatar", ("https:",), ignored),
        badges=_badges(payload, ignored),
        expires_at=expires_at,
        ignored=tuple(ignored),
    )


def _is_text(value: object) -> TypeGuard[str]:
    """Whether it is a text that a database can store."""
    return isinstance(value, str) and not _UNSTORABLE.search(value)


def _line(payload: dict[str, Any], claim: str, most: int) -> str:
    value = payload.get(claim)
    if claim == "sub" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # many sites number their readers
    try:
        line = clean_line(value, most) if _is_text(value) else ""
    except ValueError:
        line = ""
    if is_blank(line):
        raise WrongToken(f"`{claim}` must be text of 1 to {most} characters.")
    return line


def _email(payload: dict[str, Any]) -> str | None:
    value = payload.get("email")
    if value is None or value == "":
        return None
    try:
        if _is_text(value):
            return parsed_email(clean_line(value, MOST_EMAIL)).normalized
    except (EmailNotValidError, ValueError):
        pass
    raise WrongToken("`email` is not an email address.")


def _link(
    payload: dict[str, Any], claim: str, schemes: tuple[str, ...], ignored: list[str]
) -> str | None:
    value = payload.get(claim)
    if value is None or value == "":
        return None
    found = link(value) if _is_text(value) and len(value) <= MOST_LINK else None
    if found and len(found.href) <= MOST_LINK and found.href.startswith(schemes):
        return found.href
    ignored.append(claim)
    return None


def _badges(payload: dict[str, Any], ignored: list[str]) -> tuple[str, ...]:
    roles = payload.get("roles")
    if roles is None:
        return ()
    badges: list[str] = []
    for role in roles if isinstance(roles, list) else [roles]:
        badge = _badge(role)
        if badge is None or len(badges) == MOST_BADGES:
            ignored.append("roles")
        elif badge not in badges:
            badges.append(badge)
    return tuple(badges)


def _badge(role: object) -> str | None:
    try:
        badge = clean_line(role, MOST_BADGE) if _is_text(role) else ""
    except ValueError:
        return None
    return None if is_blank(badge) else badge


def _spend(
    site: SiteInfo, payload: dict[str, Any], expires_at: datetime, *, for_good: bool
) -> None:
    """Use up a single-use token, or only check that it was not used. Its `jti` is kept until it has
    expired.
    """
    jti = keyed_hash("spent token", _line(payload, "jti", MOST_JTI))
    if not for_good:
        with reading() as session:
            if session.get(SpentToken, (site.id, jti)):
                raise WrongToken(_SPENT)
        return
    at = now()
    row = {"site_id": site.id, "jti": jti, "until": expires_at}
    with begin() as session:
        session.execute(delete(SpentToken).where(SpentToken.until < at))
        if session.connection().execute(insert_new(SpentToken, "jti"), row).one_or_none() is None:
            raise WrongToken(_SPENT)


_SPENT = "It was used before, and this site takes each token only once."
