"""What Slack, Discord, Mattermost and Teams are told: which comments wait for a human, and where to decide.

Names and texts are strangers' words: they are shortened, and what the chat would read as markup or as a call to
everyone is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from models.settings import settings

MOST_AT_ONCE = 50
MOST_SHOWN = 5
MOST_LETTERS = 200
PAUSE_SECONDS = 2.0  # between two messages: what is flagged meanwhile goes into the next


def message(format_: str, events: Sequence[dict[str, Any]]) -> bytes:
    """One message in a chat's own shape, about one flagged comment or many."""
    lines = [_line(format_, event["data"]) for event in events[:MOST_SHOWN]]
    if len(events) > MOST_SHOWN:
        lines.append(f"… and {len(events) - MOST_SHOWN} more")
    count = "A comment waits" if len(events) == 1 else f"{len(events)} comments wait"
    text = "\n".join([f"{count} for a moderator: {_link(format_, 'open the console', console_url())}", *lines])
    return orjson.dumps(_SHAPES[format_](text))


def console_url() -> str:
    return f"{settings().base_url}/console/"


def _line(format_: str, data: dict[str, Any]) -> str:
    comment, thread = data["comment"], data["thread"]
    where = thread["title"] or thread["key"]
    reasons = (data["decision"] or {}).get("reasons") or []
    why = f" ({_plain(format_, '; '.join(reasons))})" if reasons else ""
    said = _plain(format_, re.sub(r"<[^>]*>", " ", comment["html"]))
    return f"• {_plain(format_, comment['name'])} on {_plain(format_, where)}{why}: {said}"


def _plain(format_: str, text: str) -> str:
    """Without markup, links or mentions, on one line."""
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    text = " ".join(text.split())
    text = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
    if format_ == "slack":
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return re.sub(r"([*_~`@])", "\\1\u200b", text)
    text = re.sub(r"([\\*_~`|\[\]<>#!()])", r"\\\1", text)
    return re.sub(r"@|(?<=http)(?=s?:)", lambda found: found[0] + "\u200b", text)


def _link(format_: str, words: str, url: str) -> str:
    return f"<{url}|{words}>" if format_ == "slack" else f"[{words}]({url})"


def _teams(text: str) -> dict[str, Any]:
    """An Adaptive Card, as the Workflows that replaced Teams' connectors take it."""
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.split("\n")]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open the console", "url": console_url()}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


_SHAPES: dict[str, Any] = {
    "slack": lambda text: {"text": text, "unfurl_links": False},
    "discord": lambda text: {"content": text[:2000], "allowed_mentions": {"parse": []}},
    "mattermost": lambda text: {"text": text},
    "teams": _teams,
}
