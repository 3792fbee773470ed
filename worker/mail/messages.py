"""A letter as a message for the mail server: the headers of RFC 5322, and those that let a reader
unsubscribe with one click (RFC 8058).

Signing with DKIM is the relay's task, because it knows the domain's key.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, formataddr, parseaddr
from typing import NamedTuple
from urllib.parse import urlsplit

from models.mailing.letter import Letter
from models.settings import settings
from models.store.database import now

TEXT, HTML = "plain", "html"
LONGEST_LINE = 76  # characters of a quoted-printable line (RFC 2045, 6.7)
LONGEST_HEADER = 900  # characters; RFC 5322 allows 998


class Subscription(NamedTuple):
    """A kind of mail that a reader can end: `name` is one word, and `url` ends it."""

    name: str
    site: str
    url: str


def message_of(
    mail_id: str, *, to: str, site: str, letter: Letter, subscription: Subscription | None = None
) -> EmailMessage:
    """Write the message. Its Message-ID is the same at every attempt, so that a mail program shows
    a repeated mail once.
    """
    message = EmailMessage(default.clone(max_line_length=LONGEST_LINE))
    name, sender = parseaddr(settings().mail_from)
    message["From"] = formataddr((name or site, sender))
    message["To"] = to
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2] or 'greenroom.invalid'}>"
    message["Auto-Submitted"] = "auto-generated"
    if subscription:
        host = urlsplit(settings().base_url).hostname or "localhost"
        message["List-Id"] = f"<{subscription.name}.{subscription.site}.{host}>"
        message["List-Unsubscribe"] = f"<{subscription.url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.plain(), subtype=TEXT, cte="quoted-printable")
    message.add_alternative(letter.html(), subtype=HTML, cte="quoted-printable")
    # A long URL has no place to fold, so the default would encode the whole header, and mail
    # programs would not find the URL in it.
    message.policy = message.policy.clone(max_line_length=LONGEST_HEADER)
    return message
