"""Speak to the mail server of the settings. Mail to moderators and to readers goes through here."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from models.settings import settings

if TYPE_CHECKING:
    from smtplib import SMTP

SECONDS = 10  # for each answer of the server
NO_PASSWORD = (
    "The mail server offers no encryption (STARTTLS), so Greenroom did not send it the password. "
    "Use smtps:// or another server."
)


def can_send() -> bool:
    return bool(settings().smtp_url)


def connect() -> SMTP:
    """Connect and sign in to the mail server. Raises OSError or smtplib.SMTPException.

    The connection is encrypted if the URL asks for it (smtps://) or the server offers it. The
    certificate must be right if the URL says so or has a password; otherwise any certificate will
    do, as between mail servers (RFC 7435), because the alternative is no encryption. A password is
    never sent unencrypted: whoever can remove the server's offer could read it.
    """
    import smtplib  # noqa: PLC0415 - most processes send no mail

    server = urlsplit(settings().smtp_url)
    host, is_tls = server.hostname or "", server.scheme == "smtps"
    connection: SMTP
    if is_tls:
        context = ssl.create_default_context()
        connection = smtplib.SMTP_SSL(host, server.port or 465, timeout=SECONDS, context=context)
    else:
        connection = smtplib.SMTP(host, server.port or 587, timeout=SECONDS)
    try:
        connection.ehlo_or_helo_if_needed()  # the server offers nothing before it is greeted
        if not is_tls and connection.has_extn("starttls"):
            connection.starttls(context=_context(is_verified=bool(server.username)))
            is_tls = True
        if server.username and not is_tls:
            raise smtplib.SMTPNotSupportedError(NO_PASSWORD)
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _context(*, is_verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not is_verified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
