"""What a check may know of the comment it looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from models.judgement.policy import Policy

if TYPE_CHECKING:
    from models.spam.site_model import SiteModel


@dataclass(frozen=True, slots=True)
class Form:
    """How the comment came.

    `token` is "valid", "missing", "expired" or "forged"; `seconds` passed from form to post, where
    that is known.
    """

    token: str = "missing"
    seconds: float | None = None
    honeypot: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A comment as it waits to be screened.

    `email_index` and `address` are keyed hashes (hex) of the email address and of the reader's
    address; `origins` are the site's own ("https://paper.example"); `language` is an ISO 639-1 code
    or "und"; `at` is when it was accepted. `page` is the address where the form said it stands, on
    one of these. `new_title` and `new_address` are what its thread has not got yet, and would get
    from this comment. `thread_moderation` is "before" if a moderator wants to read each comment of
    its thread first; `slow_seconds` is how long an author has to wait there between two comments.
    `policy` has its thresholds fitted where the owner promised something;
    `model` is the site's own, if it has one.
    """

    id: str
    site_id: int
    thread_id: int
    name: str
    email: str
    body: str
    at: datetime
    website: str | None = None
    email_index: str = ""
    address: str = ""
    language: str = "und"
    origins: tuple[str, ...] = ()
    page: str | None = None
    new_title: str | None = None
    new_address: str | None = None
    thread_moderation: str | None = None
    slow_seconds: int | None = None
    form: Form = Form()
    policy: Policy = field(default_factory=Policy)
    model: SiteModel | None = None
