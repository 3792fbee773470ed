"""The page and site that a comment is on. A link to that page or site leads no reader away, so the
classifier does not count it as a link.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl

from models.classifier.text import Token
from models.text.folding import fold
from models.text.urls import parse_loosely, without_www


@dataclass(frozen=True, slots=True)
class Place:
    """The page and the site that a comment is on, as far as they are known.

    `page` has the URLs of the page (it may have a short one, too), `site` the hosts of the site.
    None means unknown: then every link counts as one that leads away.
    """

    page: Collection[str] | None = None
    site: Collection[str] | None = None


def on_site(origins: Collection[str]) -> Place:
    """Return the place of a comment on an unknown page of a site with these origins."""
    return Place(site=[_address(origin).host for origin in origins])


def is_same(url: str, page: str) -> bool:
    """Whether a link leads to that page, however it is spelled."""
    return _is_same(_address(url), _address(page))


class _Address(NamedTuple):
    host: str
    path: str
    query: frozenset[tuple[str, str]]


def away(original: str, tokens: Sequence[Token], place: Place) -> list[Token]:
    """Return the tokens without the links to the comment's own page and site."""
    if not (place.page or place.site) or all(token.kind != "link" for token in tokens):
        return list(tokens)
    pages = [_address(url) for url in place.page or ()]
    hosts = [without_www(fold(host)) for host in place.site or ()]
    left = []
    for token in tokens:
        if token.kind == "link" and _stays(original, token, pages, hosts):
            continue
        left.append(token)
    return left


def _stays(original: str, link: Token, pages: Collection[_Address], hosts: Collection[str]) -> bool:
    if any(link.text == host or link.text.endswith(f".{host}") for host in hosts):
        return True
    if not pages:
        return False
    target = _address(html.unescape(original[link.start : link.end]))
    return any(_is_same(target, page) for page in pages)


def _is_same(target: _Address, page: _Address) -> bool:
    """Whether both are the same page. The target's query may have more parameters: a shared link
    may say who shared it, or at which second a video starts.
    """
    if (target.host, target.path) != (page.host, page.path):
        return False
    return page.query <= target.query


def _address(url: str) -> _Address:
    """Return the parts of a link that decide its target, without scheme, "www.", fragment, and
    final slash or full stop.
    """
    parts = parse_loosely(url.rstrip(".,!?"))
    if parts is None:
        return _Address("", "", frozenset())
    host = without_www(parts.host).removeprefix("m.")
    query = frozenset(parse_qsl(parts.query, keep_blank_values=True))
    return _Address(host, parts.path.rstrip("/"), query)
