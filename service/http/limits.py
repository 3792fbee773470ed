"""How fast comments may be posted. Each process counts by itself, so no broker delays a comment."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from models.runtime import part
from models.settings import settings
from service.http.problems import Problem

REPORTS_PER_MINUTE = 30  # reports of one address
MAILING: dict[str, RateLimitItem] = {
    "proof": RateLimitItemPerHour(20, namespace="proof"),  # each may send a mail
    "proof key": RateLimitItemPerMinute(90, namespace="proof key"),  # browsers ask every 2 seconds
    "follow": RateLimitItemPerMinute(30, namespace="follow"),
    "choice": RateLimitItemPerMinute(60, namespace="choice"),
    "known page": RateLimitItemPerMinute(60, namespace="known page"),
}
CHANGES_PER_MINUTE = 20  # edits and deletions of one address
_counting = threading.Lock()  # held from looking until counting


@part
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


@part
def _limits() -> tuple[RateLimitItem, ...]:
    return (
        RateLimitItemPerMinute(settings().rate_per_minute, namespace="post"),
        RateLimitItemPerHour(settings().rate_per_hour, namespace="post"),
    )


def count_post(site: str, address: str) -> Problem | None:
    """Count a post, valid or not. Return a 429 that says when to try again, if this address has
    posted too much on this site; such a post is not counted.
    """
    if settings().rate_limits == "off":
        return None
    with _counting:
        full = next(
            (limit for limit in _limits() if not _limiter().test(limit, site, address)), None
        )
        if full is None:
            for limit in _limits():
                _limiter().hit(limit, site, address)
            return None
        opens = _limiter().get_window_stats(full, site, address).reset_time
    wait = max(1, math.ceil(opens - time.time()))
    return Problem(
        429,
        f"Too many comments in a short time. Please try again in {in_words(wait)}.",
        headers={"Retry-After": str(wait)},
    )


def count_change(address: str) -> Problem | None:
    """Count a reader's edit or deletion. Return a 429 if this address has sent too many."""
    limit = RateLimitItemPerMinute(CHANGES_PER_MINUTE, namespace="change")
    if settings().rate_limits == "off" or _limiter().hit(limit, address):
        return None
    return Problem(429, "Too many changes. Try again in a minute.", headers={"Retry-After": "60"})


def count_report(address: str) -> Problem | None:
    """Count a browser's report. Return a 429 if this address has sent too many."""
    limit = RateLimitItemPerMinute(REPORTS_PER_MINUTE, namespace="report")
    if settings().rate_limits == "off" or _limiter().hit(limit, address):
        return None
    return Problem(429, "Too many reports. Try again in a minute.", headers={"Retry-After": "60"})


def count_mailing(what: str, site: str, address: str) -> Problem | None:
    """Count a request about mail: a "proof", a "proof key", a "follow", a "choice" or a "known
    page". Return a 429 if this address has sent too many of them on this site.
    """
    limit = MAILING[what]
    if settings().rate_limits == "off" or _limiter().hit(limit, site, address):
        return None
    opens = _limiter().get_window_stats(limit, site, address).reset_time
    wait = max(1, math.ceil(opens - time.time()))
    return Problem(
        429,
        f"Too many requests in a short time. Please try again in {in_words(wait)}.",
        headers={"Retry-After": str(wait)},
    )


class Pace(NamedTuple):
    """How often one reader may send something."""

    a_minute: int
    an_hour: int


def count_sent(kind: str, who: str, pace: Pace) -> Problem | None:
    """Count what a reader sends besides comments. Return a 429 if it was too much."""
    if settings().rate_limits == "off":
        return None
    for limit, wait in (
        (RateLimitItemPerMinute(pace.a_minute, namespace=kind), 60),
        (RateLimitItemPerHour(pace.an_hour, namespace=kind), 3600),
    ):
        if not _limiter().hit(limit, who):
            detail = f"You have sent too many. Please try again in {in_words(wait)}."
            return Problem(429, detail, headers={"Retry-After": str(wait)})
    return None


def in_words(seconds: int) -> str:
    """Return the time in words, rounded up: `90 seconds`, `3 minutes`."""
    if seconds > 120:
        return f"{math.ceil(seconds / 60)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
