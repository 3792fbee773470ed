"""The form's token: a signature that lets a post show that it came from the form, and when the form
was loaded.
"""

from __future__ import annotations

import time

from itsdangerous import BadSignature, URLSafeSerializer

from models.judgement.candidate import Form
from models.runtime import part
from models.store.secrets import secrets
from service.http.addresses import reader

LONGEST = 300  # characters; ours are shorter, and the signature is computed over the whole token
MOST_SECONDS = 24 * 3600  # for a tab that was left open overnight


def issue_form_token(site: str) -> str:
    return str(_signer().dumps([site, round(time.time(), 2)]))


def read_form_token(site: str, token: str | None, *, honeypot: bool) -> Form:
    """Read a token. A missing or invalid one is evidence for the screening, never an error."""
    if not token:
        return Form("missing", None, honeypot)
    if len(token) > LONGEST:
        return Form("forged", None, honeypot)
    try:
        whose, issued = _signer().loads(token)
        seconds = time.time() - issued
    except (BadSignature, ValueError, TypeError):
        return Form("forged", None, honeypot)
    if whose != site or seconds < 0:
        return Form("forged", None, honeypot)
    return Form("valid" if seconds <= MOST_SECONDS else "expired", round(seconds, 2), honeypot)


def issue_page_token(*about: str) -> str:
    """Return a token for a form that changes something at once. It is bound to what the form is
    about and to the reader's address, so that another site cannot send it from its visitors'
    browsers.
    """
    return str(_signer().dumps([*about, reader(), int(time.time())]))


def is_page_token(token: str, *about: str) -> bool:
    if len(token) > LONGEST * 2:
        return False
    try:
        *parts, issued = _signer().loads(token)
        return bool(parts == [*about, reader()] and 0 <= time.time() - issued <= MOST_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return False


@part
def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(secrets().derived("form token"))
