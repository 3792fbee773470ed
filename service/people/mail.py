"""Send mail to moderators, if a mail server is set, and never inside the request that asked for
it.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import structlog

from models.settings import settings

SECONDS = 10
log = structlog.get_logger()


def can_send() -> bool:
    return bool(settings().smtp_url)


def in_background(work: Callable[..., object], *about: str) -> None:
    """Send in the background. No request waits for the outcome, because a link can be made
    again.
    """
    threading.Thread(target=_logged, args=(work, *about), name="mail", daemon=True).start()


def _logged(work: Callable[..., object], *about: str) -> None:
    try:
        work(*about)
    except Exception as error:  # the database may be down; only the log can tell
        log.exception("mail.failed", exc_info=error)


def send_soon(to: str, subject: str, text: str) -> None:
    in_background(send, to, subject, text)


def send(to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings().mail_from, to, subject
    message.set_content(text)
    server = urlsplit(settings().smtp_url)
    is_tls = server.scheme == "smtps"
    try:
        if is_tls:
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.hostname or "", server.port or 465, timeout=SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(server.hostname or "", server.port or 587, timeout=SECONDS)
        with connection:
            if not is_tls and connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        log.error("mail.failed", error=type(error).__name__)
