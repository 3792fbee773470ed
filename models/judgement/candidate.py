"""The comment as the checks see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from models.judgement.policy import Policy

if TYPE_CHECKING:
    from models.classifier.site_model import SiteModel


@dataclass(frozen=True, slots=True)
class Form:
    """How the comment was sent.

    `token` is "valid", "missing", "expired" or "forged". `seconds` is the time from loading the
    form to sending it, if it is known.
    """

    token: str = "missing"
    seconds: float | None = None
    honeypot: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A comment that is due for screening.

    - `email_index` and `address` are keyed hashes (hex) of the email address and of the reader's IP
      address.
    - `reader_id` is the reader who is known to be its author. `site_has_readers` says whether the
      site knows any.
    - `origins` are the site's own ("https://paper.example").
    - `language` is an ISO 639-1 code or "und". `at` is the time of acceptance.
    - `page` is the URL of the page with the form, on one of the site's origins.
    - `new_title` and `new_address` are the title and address that the thread would take from this
      comment. They are empty if the thread already has its own.
    - `thread_moderation` is "before" if a moderator wants to read every comment of the thread
      first. `slow_seconds` is how long an author must wait between two comments in the thread.
    - `policy` has its thresholds fitted if the owner set promises. `models` are the site's own
      models by score, as far as it has some.
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
    reader_id: str | None = None
    site_has_readers: bool = False
    language: str = "und"
    origins: tuple[str, ...] = ()
    page: str | None = None
    new_title: str | None = None
    new_address: str | None = None
    thread_moderation: str | None = None
    slow_seconds: int | None = None
    form: Form = Form()
    policy: Policy = field(default_factory=Policy)
    models: Mapping[str, SiteModel] = field(default_factory=dict)
