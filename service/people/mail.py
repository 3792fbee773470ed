"""Send mail to moderators, if a mail server is set, and never inside the request that asked for
it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from models.mailing.smtp import can_send, connect
from models.settings import settings

__all__ = ["can_send", "in_background", "notify", "send", "send_soon"]
log = structlog.get_logger()


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


def notify(to: str, letter: tuple[str, str]) -> None:
    """Send a subject and a text soon, if a mail server is set."""
    if can_send():
        send_soon(to, *letter)


def send_soon(to: str, subject: str, text: str) -> None:
    in_background(send, to, subject, text)


def send(to: str, subject: str, text: str) -> None:
    from email.message import EmailMessage  # noqa: PLC0415 - as smtplib: mail is rare
    from smtplib import SMTPException  # noqa: PLC0415

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings().mail_from, to, subject
    message.set_content(text)
    try:
        with connect() as connection:
            connection.send_message(message)
    except (OSError, SMTPException) as error:
        log.error("mail.failed", error=type(error).__name__)
