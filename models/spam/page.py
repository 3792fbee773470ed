"""Where a comment stands: a link to its own page or site sends nobody away, so it is no link to the
classifier.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl

from models.spam.text import Token
from models.text.folding import fold
from models.text.urls import parse_loosely, without_www


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of where a comment stands; None is "nobody said", and then every link is taken
    for a stranger's.

    `page` has the addresses of its page (a page may have a short one too), `site` the hosts of its
    site.
    """

    page: Collection[str] | None = None
    site: Collection[str] | None = None


def on_site(origins: Collection[str]) -> Context:
    """Of a comment that stands on some page of these origins."""
    return Context(site=[_address(origin).host for origin in origins])


def is_same(url: str, page: str) -> bool:
    """Whether a link leads to that page, however it is spelled."""
    return _is_same(_address(url), _address(page))


class _Address(NamedTuple):
    host: str
    path: str
    query: frozenset[tuple[str, str]]


def away(original: str, tokens: Sequence[Token], context: Context) -> list[Token]:
    """The tokens without the links to the comment's own page and site."""
    if all(token.kind != "link" for token in tokens):
        return list(tokens)
    pages = [_address(url) for url in context.page or ()]
    own = [fold(host).removeprefix("www.") for host in context.site or ()]
    return [
        token for token in tokens if token.kind != "link" or not _stays(original, token, pages, own)
    ]


def _stays(original: str, link: Token, pages: Collection[_Address], own: Collection[str]) -> bool:
    if any(link.text == host or link.text.endswith(f".{host}") for host in own):
        return True
    if not pages:
        return False
    there = _address(html.unescape(original[link.start : link.end]))
    return any(_is_same(there, page) for page in pages)


def _is_same(there: _Address, page: _Address) -> bool:
    """Whatever else the query says: a link that was shared tells where it was shared, or from which
    second to watch.
    """
    return (there.host, there.path) == (page.host, page.path) and page.query <= there.query


def _address(url: str) -> _Address:
    """Where a link leads, without what only says how: scheme, "www.", a closing slash or full stop,
    the fragment.
    """
    url = url.rstrip(".,!?")
    parts = parse_loosely(url)
    if parts is None:
        return _Address("", "", frozenset())
    host = without_www(parts.host).removeprefix("m.")
    return _Address(
        host, parts.path.rstrip("/"), frozenset(parse_qsl(parts.query, keep_blank_values=True))
    )
