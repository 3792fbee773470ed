"""The moderators' pages."""

from service.console import (
    account,
    blocks,
    calls,
    keys,
    live,
    log,
    mailed_links,
    news,
    notes,
    pages,
    scores,
    settings,
    shortcuts,
    signing_in,
    team,
    threads,
    webhooks,
)
from service.console.blueprint import console

__all__ = [
    "account",
    "blocks",
    "calls",
    "console",
    "keys",
    "live",
    "log",
    "mailed_links",
    "news",
    "notes",
    "pages",
    "scores",
    "settings",
    "shortcuts",
    "signing_in",
    "team",
    "threads",
    "webhooks",
]
