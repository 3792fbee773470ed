"""Messages to Slack, Discord, Mattermost and Teams that name the comments waiting for a human, with
a link to decide them.

Names and texts are strangers' words. They are shortened, and `defanged` prevents a chat from
reading links, mentions or markup in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson
from typing_extensions import ReadOnly, TypedDict

from models.settings import settings
from models.text import markdown

MOST_AT_ONCE = 50
MOST_SHOWN = 5
MOST_LETTERS = 200
MOST_READ = 2000  # characters read of a text, to find that many letters in it
PAUSE_SECONDS = 2.0  # between two messages: comments flagged meanwhile go into the next one


_BREAK = "\u200b"
_BROKEN = {ord(letter): _BREAK + letter + _BREAK for letter in ".。．｡․:：/@＠#＃&!{}$"}
# Slack's own markup uses these three entities, and has no escape for other characters.
_SLACK = _BROKEN | {ord(letter): letter + _BREAK for letter in "*_~`|[]()"}
_SLACK |= {ord("&"): f"&amp;{_BREAK}", ord("<"): f"&lt;{_BREAK}", ord(">"): f"&gt;{_BREAK}"}
_MARKDOWN = _BROKEN | {ord(letter): f"\\{letter}{_BREAK}" for letter in "\\*_~`|[]<>#!(){}$^"}


class SaidComment(TypedDict):
    name: str
    html: str


class SaidThread(TypedDict):
    key: str
    title: str | None


class SaidDecision(TypedDict):
    reasons: list[str]


class SaidData(TypedDict):
    """The part of an event's data that a chat shows. The event holds more."""

    comment: ReadOnly[SaidComment]
    thread: ReadOnly[SaidThread]
    decision: ReadOnly[SaidDecision | None]


class Said(TypedDict):
    """An event as it is sent."""

    type: str
    timestamp: str
    data: ReadOnly[SaidData]


def message(format_: str, events: Sequence[Said]) -> bytes:
    """One message in a chat's own shape, about one flagged comment or many."""
    lines = [_line(format_, event["data"]) for event in events[:MOST_SHOWN]]
    if len(events) > MOST_SHOWN:
        lines.append(f"… and {len(events) - MOST_SHOWN} more")
    count = "A comment is waiting" if len(events) == 1 else f"{len(events)} comments are waiting"
    text = "\n".join(
        [f"{count} for a moderator: {_link(format_, 'open the console', console_url())}", *lines]
    )
    return orjson.dumps(_SHAPES[format_](text))


def console_url() -> str:
    return f"{settings().base_url}/console/"


def _line(format_: str, data: SaidData) -> str:
    comment, thread = data["comment"], data["thread"]
    where = thread["title"] or thread["key"]
    decision = data["decision"]
    reasons = decision.get("reasons") if decision else None
    why = f" ({defanged(format_, '; '.join(reasons))})" if reasons else ""
    said = defanged(format_, markdown.words_of(comment["html"]))
    return f"• {defanged(format_, comment['name'])} on {defanged(format_, where)}{why}: {said}"


def defanged(format_: str, text: str) -> str:
    """Return a stranger's text as one short line that a chat shows as it was typed.

    An invisible space surrounds each character that a link or a mention needs, whatever the scheme,
    the host or the name. So no chat finds one, and there is no list of schemes to keep up to date.
    """
    line = " ".join(text[:MOST_READ].split())
    line = line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"
    return line.translate(_SLACK if format_ == "slack" else _MARKDOWN)


def _link(format_: str, words: str, url: str) -> str:
    return f"<{url}|{words}>" if format_ == "slack" else f"[{words}]({url})"


def _teams(text: str) -> Mapping[str, object]:
    """Return an Adaptive Card, which the Workflows accept that replaced Teams' connectors."""
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.split("\n")]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open the console", "url": console_url()}],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


_SHAPES: Mapping[str, Callable[[str], Mapping[str, object]]] = {
    "slack": lambda text: {
        "text": text,
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
    },
    # Discord refuses a longer message. The flag (SUPPRESS_EMBEDS) keeps it from showing previews.
    "discord": lambda text: {"content": text[:2000], "allowed_mentions": {"parse": []}, "flags": 4},
    "mattermost": lambda text: {"text": text},
    "teams": _teams,
}
