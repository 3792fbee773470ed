"""Read URLs as browsers do (the WHATWG URL standard), so that checks see the host that a reader's
browser opens.

Every part of Greenroom that looks at a URL uses this module. Checks use `parse` and `host_of`,
which accept every odd spelling that a browser accepts. URLs that Greenroom publishes or contacts go
through `link`, which is stricter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

LONGEST = 4000  # characters of a URL as it was typed; a longer text is not a URL
LONGEST_HOST = 253  # RFC 1035, as text
_LONGEST_LABEL = 63
_PORTS = {"http": 80, "https": 443}
_ENDS = dict.fromkeys(map(ord, "<>\"'()[]{}|`"), " ")  # characters that surround a URL in a text


class Url(NamedTuple):
    """An http or https URL.

    - `host` is lower-case ASCII without a final dot, an IPv4 address as four numbers, or an IPv6
      address without its brackets.
    - `port` is the scheme's own if none was given.
    - `path` begins with "/"; `query` has no "?".
    - `href` is the spelling that every program reads as the same URL. If only the final slash is
      missing, it stays as typed.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str
    fragment: str
    has_user: bool
    href: str

    @property
    def authority(self) -> str:
        """Host and port in the form of the `Host` header."""
        return authority_of(self.scheme, self.host, self.port)

    @property
    def origin(self) -> str:
        """The origin in the form that browsers send."""
        return f"{self.scheme}://{self.authority}"


def parse(text: str) -> Url | None:
    """The URL, or None if this is not an http(s) URL, or is longer than `LONGEST`."""
    return _parse(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=256)
def _parse(text: str) -> Url | None:
    import ada_url  # noqa: PLC0415 — an idle web process parses no URL

    try:
        href = ada_url.normalize_url(text)
    except ValueError:
        return None
    # The URL is normalised now, so splitting it at its signs is safe. It takes half the time of
    # asking for attributes.
    scheme, _, rest = href.partition("://")
    if scheme not in _PORTS:
        return None
    authority, _, behind = rest.partition("/")
    user, at, place = authority.rpartition("@")
    host, port = _split(place)
    if host.endswith("."):  # a final dot makes another origin of the same host
        host = host.removesuffix(".")
        href = f"{scheme}://{user}{at}{host}{f':{port}' if port else ''}/{behind}"
    if not _is_possible(host) or port == "0":
        return None
    behind, _, fragment = behind.partition("#")
    path, _, query = behind.partition("?")
    return Url(
        scheme=scheme,
        host=host,
        port=int(port or _PORTS[scheme]),
        path=f"/{path}",
        query=query,
        fragment=fragment,
        has_user=bool(at),
        href=text if href == f"{text}/" else href,
    )


def _split(place: str) -> tuple[str, str]:
    """Return host and port. An IPv6 address loses its brackets."""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def link(text: str) -> Url | None:
    """Return a URL that may be published or contacted: its host must follow right after "http://"
    or "https://", without a user or password. Return None for anything else.
    """
    rest = (
        text[8:]
        if text[:8].lower() == "https://"
        else text[7:]
        if text[:7].lower() == "http://"
        else ""
    )
    if not rest or rest[0] in "/\\":  # browsers accept a missing or an extra slash
        return None
    url = parse(text)
    return None if url is None or url.has_user or "@" in _authority(rest) else url


def _authority(rest: str) -> str:
    """Return the part before the path, as the standard splits it."""
    return next((rest[:place] for place, letter in enumerate(rest) if letter in "/\\?#"), rest)


def host_of(text: str) -> str:
    """Return the host that a browser opens for a URL or for a bare "shop.example/x"; "" if there is
    none.
    """
    url = parse_loosely(text)
    return url.host if url else ""


def named_host(text: str) -> str:
    """Return the host that `host_of` finds, without "www.", as people name it."""
    return without_www(host_of(text))


def parse_loosely(text: str) -> Url | None:
    """Parse also the short forms that people type: "shop.example/x", "//shop.example/x" and other
    schemes, all read as http.
    """
    scheme, colon, rest = text[:LONGEST].partition(":")
    if not colon or scheme.lower() not in _PORTS:
        text = f"http:{rest}" if colon and rest.startswith("//") and scheme.isalnum() else text
        text = text if text.startswith("http:") else f"http://{text.removeprefix('//')}"
    return parse(text)


def origin_of(text: str) -> str | None:
    """Return the origin of an http(s) URL as a browser sends it, like `https://paper.example:8443`,
    or None.
    """
    url = link(text)
    return url.origin if url else None


def page_address(text: str, query: Collection[str]) -> str | None:
    """Return the address of a page: without fragment, and with only those query parameters that
    `query` names, in that order.

    The first value of each parameter counts. Return None for a text that is no `link`.
    """
    url = link(text)
    if url is None:
        return None
    pairs = {_name(pair): pair for pair in reversed(url.query.split("&"))}
    kept = "&".join(pairs[name] for name in dict.fromkeys(query) if name in pairs)
    return f"{url.origin}{url.path}{f'?{kept}' if kept else ''}"


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])


def typed_in(text: str, *, most: int = 100) -> Iterator[Url]:
    """Return the URLs in a text that begin with "http://" or "https://", even if nothing makes
    links of them.
    """
    if "://" not in text:
        return
    text, place = text.translate(_ENDS), -1
    for _ in range(most):
        place = text.find("://", place + 1)
        if place < 0:
            return
        before = text[max(0, place - 5) : place].lower()
        if not before.endswith(("http", "https")):
            continue
        scheme = "https" if before.endswith("https") else "http"
        run = text[place : place + LONGEST - len(scheme)].split(maxsplit=1)[0]
        if url := parse(scheme + run.rstrip(".,;:!?*_~")):
            yield url


def authority_of(scheme: str, host: str, port: int) -> str:
    """Return host and port as a URL writes them, without the scheme's default port."""
    host = f"[{host}]" if ":" in host else host
    return host if port == _PORTS[scheme] else f"{host}:{port}"


def without_www(host: str) -> str:
    """Return the host as people name it: www.shop.example is shop.example."""
    rest = host.removeprefix("www.")
    return rest if "." in rest else host


def is_under(host: str, parent: str) -> bool:
    """Whether a host is that domain or a name below it."""
    return host == parent or host.endswith(f".{parent}")


def shown(host: str) -> str:
    """Return a host for people to read: xn--… names in their own letters, unless those could be
    taken for ASCII.
    """
    if "xn--" not in host:
        return host
    import ada_url  # noqa: PLC0415

    return ".".join(_readable(label, ada_url.idna_to_unicode(label)) for label in host.split("."))


def _readable(label: str, decoded: str) -> str:
    from models.text.folding import fold  # noqa: PLC0415 — few hosts need it

    is_latin = all(
        unicodedata.name(letter, "").startswith("LATIN")
        for letter in decoded
        if not letter.isascii()
    )
    return label if not is_latin and fold(decoded).isascii() else decoded


def _is_possible(host: str) -> bool:
    """Whether DNS can contain the name. The parser has already checked IPv6 addresses."""
    if ":" in host:
        return True
    return len(host) <= LONGEST_HOST and all(
        0 < len(label) <= _LONGEST_LABEL for label in host.split(".")
    )
