"""The console's words for verdicts, reasons, checks and times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.locales.words import read_words
from models.records import Moderator
from models.settling import history
from models.store.database import now

REASONS = {"spam": "spam", "abuse": "abuse", "off_topic": "off topic", "other": "other"}
REASON_HELP = {
    "spam": "advertising, unwanted links",
    "abuse": "insults, threats, hate",
    "off_topic": "has nothing to do with the article",
    "other": "anything else",
}
DID = history.DID
VERDICTS = {
    "approve": "live",
    "reject": "rejected",
    "flag": "held",
    "wait": "waiting for a check",
}
NOW = {
    "approved": "Approved",
    "rejected": "Rejected",
    "flagged": "Back in review:",
    "deleted": "Erased",
}
STATUS = {
    "pending": "being checked",
    "flagged": "held for review",
    "approved": "live",
    "rejected": "rejected",
    "deleted": "erased",
}
CAUSES = {
    "flagged": "held",
    "reported": "reported by a reader",
    "sampled": "blind sample",
    "appealed": "appealed by the author",
    "notice": "notice of illegal content",
    "edited": "edited by the author",
}
LISTED_CAUSES = {"readers": "anything from readers", **CAUSES}
CHECKS = {
    "email": "Email",
    "spam": "Spam",
    "abuse": "Abuse",
    "links": "Links",
    "hosts": "Hosts",
    "words": "Words",
    "disguise": "Disguise",
    "repeats": "Repeats",
    "pace": "Pace",
    "author": "Author",
    "form": "Form",
    "language": "Language",
    "blocks": "Blocks",
    "page": "Page",
    "screening": "Screening",
}
OUTCOMES = {
    "clear": "nothing found",
    "found": "found something",
    "abstained": "could not judge",
    "unavailable": "could not run",
}
FILTERS = {
    "site": "Site",
    "thread": "Page",
    "check": "Check",
    "reason": "Reason",
    "language": "Language",
    "author": "Author",
    "campaign": "Similar to",
    "since": "From",
    "until": "To",
}
ORDERS = {
    "oldest": "Oldest first",
    "risk": "Riskiest first",
    "newest": "Newest first",
    "due": "Due soonest first",
}
_SAID = CHECKS | REASONS | LISTED_CAUSES
_MODERATOR = re.compile(r"moderator:([0-9a-f-]{36})")
# from this many seconds on: the unit in the singular and the plural; `moments.js` writes times
# again with this table
AGO = (
    (31_536_000, "1 year ago", "{n} years ago"),
    (2_592_000, "1 month ago", "{n} months ago"),
    (86_400, "yesterday", "{n} days ago"),
    (3_600, "1 h ago", "{n} h ago"),
    (60, "1 min ago", "{n} min ago"),
    (1, "just now", "just now"),
)


def say(value: str) -> str:
    return _SAID.get(value, value)


def objection(name: str) -> str:
    """Return what a report or a notice is about, in words."""
    return read_words("en").report.get(name, name.replace("_", " ").lower())


def moment_of(given: datetime | str) -> datetime:
    return datetime.fromisoformat(given) if isinstance(given, str) else given


def ago(given: datetime | str) -> str:
    """Return a rough time such as "4 min ago", "yesterday", "3 days ago", to be read at a
    glance.
    """
    passed = (now() - moment_of(given)).total_seconds()
    size, one, several = next((row for row in AGO if passed >= row[0]), AGO[-1])
    count = int(passed // size)
    return one if count == 1 else several.format(n=count)


def exactly(given: datetime | str) -> str:
    return f"{moment_of(given).astimezone(UTC):%A %d %B %Y, %H:%M} UTC"


def named(session: Session, sentence: str) -> str:
    """Return our sentence with moderators' emails instead of their ids."""
    ids = set(_MODERATOR.findall(sentence))
    emails = dict(
        session.execute(select(Moderator.id, Moderator.email).where(Moderator.id.in_(ids))).all()
    )
    return _MODERATOR.sub(lambda found: emails.get(found[1]) or "a former moderator", sentence)
