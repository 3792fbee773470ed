"""A chat shows strangers' words as they were typed: no link, mention or markup becomes active."""

from __future__ import annotations

import json
from typing import Any

import pytest
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt

from models.text import markdown
from models.webhooks.owed import CHATS
from worker.webhooks.chats import console_url, defanged, message

TYPED = [
    "http://evil.example", "HTTP://evil.example", "hTtPs://evil.example/x?y#z", "https:evil.example", "//evil.example",
    "www.evil.example", "WWW.EVIL.EXAMPLE", "evil.example", "evil.example/path", "EVIL.COM", "hxxp://evil.com",
    "ftp://evil.com", "mailto:ann@evil.com", "ann@evil.com", "tel:+4930123456", "slack://open", "javascript:alert(1)",
    "http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/", "магазин.рф", "evil。com", "evil．com", "evil｡com",
    "https://evil.com\\@paper.org", "<https://evil.com>", "<https://evil.com|our bank>", "[our bank](https://evil.com)",
    "[our bank]( https://evil.com )", "![x](https://evil.com/x.png)", "[x]: https://evil.com", "[x][y]",
    '<a href="https://evil.com">x</a>', "<img src=https://evil.com/x>", "&lt;https://evil.com&gt;", "&#104;ttp://evil.com",
    "https&colon;//evil.com", "evil&period;com",
    "@everyone", "@here", "@channel", "@all", "@ann", "＠everyone", "<!channel>", "<!here|x>", "<!everyone>",
    "<@U012AB3CD>", "<@&1234>", "<#C012AB3CD>", "&lt;!channel&gt;", "&#64;everyone", "<at>Ann</at>",
    "#town-square", "~town-square",
    ":+1:", "<:party:1234>", "<t:1618953630:R>", "</kick:1234>",
    "*bold* _it_ ~gone~ `code` **b** __u__ ~~s~~ ||spoiler|| ```x```", "> quote", "# heading", "| a | b |", "$x^2$",
    "{{DATE(2026-01-01T00:00:00Z)}}", "${name}", "\\*a\\*", "\\", "a\u200b@everyone",
]  # fmt: skip
_FORBIDDEN = [
    "://", "@everyone", "@here", "@channel", "@all", "@ann", "www.", "mailto:", "tel:", "http:", "https:", ".example",
    ".com", ".рф", "<!", "<@", "<#", "<a", "</", "<t", "<:", "&#", "{{", "${", "](", "||", "**", "```",
]  # fmt: skip


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("typed", TYPED)
def test_nothing_that_a_stranger_typed_becomes_active(chat: str, typed: str) -> None:
    text = defanged(chat, f"{typed} {typed.upper()}x{typed}").lower()
    bare = text.replace("\\", "") if chat != "slack" else text
    assert not [forbidden for forbidden in _FORBIDDEN if forbidden in bare]
    assert not LinkifyIt().tlds("рф", keep_old=True).test(bare)
    if chat == "slack":
        assert all(after.startswith(("amp;", "lt;", "gt;")) for after in text.split("&")[1:])


@pytest.mark.parametrize("chat", [chat for chat in CHATS if chat != "slack"])
@pytest.mark.parametrize("typed", TYPED)
def test_a_chats_markdown_shows_the_text_as_it_was_typed(chat: str, typed: str) -> None:
    """This uses the renderer of CommonMark, which interprets more than the chats do."""
    html = MarkdownIt("js-default", {"linkify": True, "html": True}).render(
        f"• {defanged(chat, typed)}"
    )
    assert html.startswith("<p>")
    assert not any(
        f"<{tag}" in html
        for tag in ("a", "img", "em", "strong", "code", "s>", "table", "h1", "blockquote")
    )
    shown = markdown.words_of(html).replace("\u200b", "")
    assert shown.removeprefix("• ").strip() == " ".join(typed.replace("\u200b", "").split())


@pytest.mark.parametrize("chat", CHATS)
def test_the_only_link_in_a_message_leads_to_the_console(chat: str) -> None:
    text = _text(chat, json.loads(message(chat, [_event(typed) for typed in TYPED[:5]])))
    assert text.count("://") == 1
    assert console_url() in text


def test_slack_and_discord_must_not_show_previews() -> None:
    slack, discord = (json.loads(message(chat, [_event("x")])) for chat in ("slack", "discord"))
    assert (slack["unfurl_links"], slack["unfurl_media"], slack["link_names"]) == (
        False,
        False,
        False,
    )
    assert discord["flags"] == 4
    assert discord["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize("chat", CHATS)
def test_a_long_text_is_cut_before_it_is_broken(chat: str) -> None:
    assert len(defanged(chat, "@." * 10_000)) < 1000
    assert defanged(chat, "a" * 300) == "a" * 199 + "…"


def _text(chat: str, body: Any) -> str:
    if chat == "teams":
        return "\n".join(block["text"] for block in body["attachments"][0]["content"]["body"])
    return str(body["content"] if chat == "discord" else body["text"])


def _event(typed: str) -> dict[str, Any]:
    comment = {"name": typed[:80], "html": markdown.render(typed)}
    thread = {"title": typed, "key": typed}
    return {"data": {"comment": comment, "thread": thread, "decision": {"reasons": [typed]}}}
