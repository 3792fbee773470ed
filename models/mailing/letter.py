"""A letter to a reader: a few blocks that are written as plain text and as HTML with equal content.

It has no pictures, no tracking and no address of a third party.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple, NotRequired, TypedDict
from urllib.parse import urlsplit

LINE = 72  # characters of a plain line


def site_name(key: str, origins: Sequence[str]) -> str:
    """Return the name by which readers know a site: the host of its pages."""
    return urlsplit(origins[0]).hostname or key if origins else key


class Link(TypedDict):
    text: str
    url: str


class Finished(TypedDict):
    """The data of a mail whose words are finished when it is owed, in the site's language."""

    subject: str
    paragraphs: Sequence[str]
    quote: NotRequired[str | None]
    link: NotRequired[Link | None]


class Part(NamedTuple):
    """One thing to tell: a heading, paragraphs, a quotation of a reader's text, and where to go."""

    heading: str = ""
    paragraphs: Sequence[str] = ()
    quote: str = ""
    link: Link | None = None


@dataclass(frozen=True)
class Letter:
    """`footer` says why the reader gets it, with links to change that. `direction` is "ltr" or
    "rtl".
    """

    subject: str
    parts: Sequence[Part]
    footer: Sequence[str | Link] = ()
    language: str = "en"
    direction: str = "ltr"

    def plain(self) -> str:
        blocks: list[str] = []
        for part in self.parts:
            blocks += [part.heading] if part.heading else []
            blocks += [_wrapped(paragraph) for paragraph in part.paragraphs]
            blocks += [_quoted(part.quote)] if part.quote else []
            blocks += [_plain_link(part.link)] if part.link else []
        if self.footer:
            lines = [each if isinstance(each, str) else _plain_link(each) for each in self.footer]
            blocks += ["-- \n" + "\n".join(_wrapped(line) for line in lines)]
        return "\n\n".join(blocks) + "\n"

    def html(self) -> str:
        body = "".join(_html_part(part) for part in self.parts)
        if self.footer:
            lines = (_footer_line(each) for each in self.footer)
            body += f'<div style="{_FOOTER}">{"".join(lines)}</div>'
        return _PAGE.format(
            language=escape(self.language),
            direction=escape(self.direction),
            subject=escape(self.subject),
            body=body,
        )


def finished_letter(data: Finished, *, language: str, direction: str) -> Letter:
    part = Part("", data["paragraphs"], data.get("quote") or "", data.get("link"))
    return Letter(data["subject"], (part,), (), language, direction)


def _wrapped(text: str) -> str:
    import textwrap  # noqa: PLC0415 - mail is rare

    wrapper = textwrap.TextWrapper(LINE, break_long_words=False, break_on_hyphens=False)
    return "\n".join(wrapper.fill(line) for line in text.split("\n"))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _wrapped(text).split("\n"))


def _plain_link(link: Link) -> str:
    return f"{link['text']}:\n{link['url']}"


def _html_part(part: Part) -> str:
    html = f'<h1 style="{_HEADING}">{escape(part.heading)}</h1>' if part.heading else ""
    html += "".join(f'<p style="{_TEXT}">{_lines(text)}</p>' for text in part.paragraphs)
    if part.quote:
        html += f'<blockquote style="{_QUOTE}" dir="auto">{_lines(part.quote)}</blockquote>'
    if part.link:
        html += f'<p style="{_TEXT}">{_html_link(part.link, _BUTTON)}</p>'
    return html


def _footer_line(line: str | Link) -> str:
    said = _lines(line) if isinstance(line, str) else _html_link(line, _QUIET)
    return f'<p style="margin:0 0 6px">{said}</p>'


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _html_link(link: Link, style: str) -> str:
    return f'<a href="{escape(link["url"])}" style="{style}">{escape(link["text"])}</a>'


# Mail programs ignore style sheets, so every element carries its style. The colours have enough
# contrast on white and on the dark background that some programs put behind them.
_TEXT = "margin:0 0 16px"
_HEADING = "margin:0 0 12px;font-size:18px;line-height:1.35"
_QUOTE = "margin:0 0 16px;padding:2px 14px;border-inline-start:3px solid #9aa3ad"
_BUTTON = (
    "display:inline-block;padding:10px 18px;border-radius:6px;background:#1f5fbf;color:#ffffff;"
    "text-decoration:none;font-weight:600"
)
_QUIET = "color:inherit"
_FOOTER = "margin-top:28px;padding-top:14px;border-top:1px solid #9aa3ad;font-size:13px;opacity:.75"
_PAGE = (
    '<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{subject}</title></head>'
    '<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,Segoe UI,'
    'Roboto,Helvetica,Arial,sans-serif"><div style="max-width:560px;margin:0 auto;'
    'overflow-wrap:anywhere">{body}</div></body></html>'
)
