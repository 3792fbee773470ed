"""Check where a comment's links lead, however they are written: as Markdown, bare, or "example .
com".

This is about the text, not about what becomes clickable: a reader can type "cheap-pills.com" into a
browser, too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import re2
from linkify_it import LinkifyIt

from models.classifier.place import is_same
from models.judgement.candidate import Candidate
from models.judgement.evidence import UNREAD, Evidence, Outcome
from models.text.urls import host_of, is_under, named_host, shown

_TOP_LEVELS = [
    "biz", "com", "edu", "gov", "net", "org", "pro", "web", "xxx", "aero", "asia", "coop", "info",
    "museum", "name", "shop", "xyz", "top", "online", "site", "website", "space", "store", "club",
    "vip", "live", "life", "fun", "icu", "cfd", "sbs", "bond", "buzz", "click", "link", "win",
    "bid", "loan", "men", "work", "world", "today", "email", "app", "dev", "blog", "wiki", "cloud",
    "tech", "host", "press", "news", "media", "agency", "digital", "casino", "bet", "poker", "porn",
    "sex", "cam", "chat", "games", "money", "cash", "finance", "trade", "guru", "page", "example",
    "test", "рф",
]  # fmt: skip
_SHORTENERS = {
    "adf.ly", "amzn.to", "bit.do", "bit.ly", "bitly.com", "bl.ink", "buff.ly", "clck.ru", "cli.re",
    "cutt.ly", "da.gd", "dlvr.it", "fb.me", "git.io", "goo.gl", "goo.su", "gg.gg", "ht.ly",
    "ift.tt", "is.gd", "j.mp", "kutt.it", "linktr.ee", "lnk.to", "lnkd.in", "lnk.bio", "mcaf.ee",
    "ow.ly", "po.st", "qr.ae", "rb.gy", "rebrand.ly", "s.id", "shorte.st", "shorturl.at",
    "short.gy", "shrtco.de", "snip.ly", "soo.gd", "surl.li", "t.co", "t.ly", "t2m.io", "tiny.cc",
    "tiny.one", "tinyurl.com", "tr.im", "trib.al", "u.to", "urlz.fr", "v.gd", "vk.cc", "vu.fr",
    "wp.me", "x.co",
}  # fmt: skip
# A bare name with such an ending is a file ("setup.py") or lacks a space ("so I did.it was").
_DOUBTFUL = {
    "ai", "cc", "gz", "md", "ml", "mm", "pl", "ps", "py", "rs", "sh", "am", "as", "at", "be", "by",
    "do", "in", "is", "it", "me", "my", "no", "so", "to", "us", "bet", "bid", "cash", "chat",
    "cloud", "click", "email", "finance", "fun", "games", "host", "life", "link", "live", "media",
    "men", "money", "name", "news", "page", "press", "test", "today", "top", "trade", "web", "win",
    "work", "world",
}  # fmt: skip
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
# RE2 on bytes: it never backtracks, and its wrapper need not count characters.
_MARKDOWN = re2.compile(rb"\[[^\[\]]*\]\(\s*<?([^()\s<>]+)[^()]*\)")  # [label](address "title")
_HTML = re2.compile(rb"""(?i)<a\b[^<>]*?\bhref\s*=\s*["']?([^"'\s<>]+)[^<>]*>""")
_HTML_END = re2.compile(rb"(?i)</a\s*>")
_BB = re2.compile(rb"""(?i)\[url(?:=["']?([^\]"']+)["']?)?\]""")
_BB_END = re2.compile(rb"(?i)\[/url\]")
_LONGEST_LABEL = 1200  # bytes, about 300 letters
_HXXP = re.compile(r"\bhxxp(s?)://", re.IGNORECASE)
# Both begin with a character that is rare in a text, so a search skips the others fast. The part
# before that character is checked next.
_WRITTEN_DOT = re.compile(
    r"[\s\[({。．｡](?<=\w[\s\S])"
    r"(?:(?:(?<=[\[({])|(?<=\s)[\[({])\s?(?:\.|dot|punkt|punto|point|точка)\s?[\])}]\s?"
    r"|(?<=\s)\.\s?|(?<=[。．｡]))"
    r"(?=(?:com|net|org|info|biz|ru|xyz|top|shop|online|site|club|store|vip|click)\b)",
    re.IGNORECASE,
)
_MAYBE = re.compile(r"[.。．｡/](?:(?<=/)/|(?<=\w[.。．｡])\w)")
_MAY_BE_A_LINK = re.compile(
    r"//|\.\w[^\s.@]"
)  # a scheme, or a top-level domain with at least two letters
_SCHEME = re.compile(r"(?=https?://)", re.IGNORECASE)
_NUMBER = re.compile(r"[\d.,:;%()+-]+")
MOST_HOSTS = 10
MOST_LINKS, MOST_RUNS = (
    100,
    500,
)  # possible links read per comment: nobody writes so many
MOST_NESTED = 5  # addresses in an address
_LONGEST = 2100  # characters of one run without spaces; no browser's address is longer


class _Link(NamedTuple):
    url: str
    host: str


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    """Check the batch. `score` and `counts["links"]` leave out links to the site itself.

    `counts["hosts"]` is the number of hosts that the links lead to, `counts["foreign"]` the number
    of those that are not the site's, and `counts["page"]` the number of links to the comment's own
    page.
    """
    return [_evidence(candidate) for candidate in batch]


def hosts_of(candidate: Candidate) -> list[str]:
    """Return the hosts that a comment links to or names as its website, without the site's own,
    each once and only the first few.
    """
    own = frozenset(named_host(origin) for origin in candidate.origins)
    hosts = [
        named_host(url) for url in (*urls_of(candidate.body), *filter(None, [candidate.website]))
    ]
    return [host for host in dict.fromkeys(hosts) if host and not _is_own(host, own)][:MOST_HOSTS]


def every_host(body: str) -> list[str]:
    """Return every host that a text links to or names, including the site's own."""
    return [host for url in urls_of(body) if (host := host_of(url))]


def _evidence(candidate: Candidate) -> Evidence:
    own = frozenset(named_host(origin) for origin in candidate.origins)
    links = [_Link(url, host) for url in urls_of(candidate.body) if (host := named_host(url))]
    away = [link for link in links if not _is_own(link.host, own)]
    website = named_host(candidate.website) if candidate.website else ""
    hosts = list(dict.fromkeys(link.host for link in away))
    found = _shorteners([*hosts, website]) | _unread(candidate.body)
    return Evidence(
        check="links",
        outcome=Outcome.FOUND if away or found else Outcome.CLEAR,
        detail="; ".join(
            _words(len(away), hosts, own_links=len(links) - len(away), website=website)
        ),
        score=len(away),
        found=found,
        counts={
            "links": len(away),
            "foreign": len(hosts),
            "hosts": len({link.host for link in links}),
            "page": _to_page(links, candidate.page),
        },
    )


def _to_page(links: Sequence[_Link], page: str | None) -> int:
    return sum(is_same(link.url, page) for link in links) if page else 0


def _words(count: int, hosts: list[str], *, own_links: int, website: str) -> Iterable[str]:
    if not count:
        yield "no links" if not own_links else "links only to this site"
    elif len(hosts) == 1:
        yield f"{'one link' if count == 1 else f'{count} links'} to {shown(hosts[0])}"
    else:
        yield f"{count} links to {len(hosts)} sites: {_listed([shown(host) for host in hosts])}"
    if website:
        yield f"the author's website is {shown(website)}"


def _unread(body: str) -> dict[str, str]:
    return (
        {}
        if _read(body).is_all
        else {UNREAD: f"too many links: only the first {MOST_LINKS} were checked"}
    )


def _shorteners(hosts: Iterable[str]) -> dict[str, str]:
    used = list(dict.fromkeys(host for host in hosts if host in _SHORTENERS))
    if not used:
        return {}
    return {
        "shortener": f"{_listed(used)} {'hides' if len(used) == 1 else 'hide'} the target of a link"
    }


def _listed(names: Sequence[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def urls_of(body: str) -> tuple[str, ...]:
    """Return the address of every link, once per occurrence. A link whose label is a URL counts
    once.
    """
    return _read(body).urls


class _Read(NamedTuple):
    urls: tuple[str, ...]
    is_all: bool


@lru_cache(maxsize=256)
def _read(body: str) -> _Read:
    """Return the links of a comment, up to the limit.

    The result is cached, because three callers ask for it: this check, the check of hosts, and the
    code that stores a comment's hosts.
    """
    text = _UNSEEN.sub("", body)
    if not (_MAYBE.search(text) or _WRITTEN_DOT.search(text)):
        return _Read((), is_all=True)
    text = _WRITTEN_DOT.sub(".", _HXXP.sub(r"http\1://", _unmarked(text)))
    runs = list(islice(_runs(text), MOST_RUNS + 1))
    urls = list(islice(chain.from_iterable(map(_links_of, runs[:MOST_RUNS])), MOST_LINKS + 1))
    return _Read(
        tuple(urls[:MOST_LINKS]), is_all=len(runs) <= MOST_RUNS and len(urls) <= MOST_LINKS
    )


def _runs(text: str) -> Iterable[str]:
    """Yield the parts that may contain a link, one run at a time. No address contains a space, and
    plain words and numbers cost nothing.
    """
    for run in text.split():
        if not _MAYBE.search(run) or _NUMBER.fullmatch(run):
            continue
        # linkify reads on from each address in a run to the end of that run.
        pieces = _SCHEME.split(run) if run.count("//") > MOST_NESTED else [run]
        yield from (
            piece[at : at + _LONGEST] for piece in pieces for at in range(0, len(piece), _LONGEST)
        )


@lru_cache(maxsize=1024)
def _links_of(run: str) -> tuple[str, ...]:
    if not _MAY_BE_A_LINK.search(run):
        return ()  # linkify would still look for email addresses, which do not count
    return tuple(match.url for match in _linkify().match(run) or () if _is_link(match))


def _unmarked(text: str) -> str:
    """Return the text with only the address in place of each link in Markdown, HTML or BBCode."""
    if "<" not in text and "[" not in text:
        return text
    said = text.encode(errors="surrogatepass")
    said = b"".join(
        _replaced(
            said, [_Found(link.start(), link.end(), link[1]) for link in _MARKDOWN.finditer(said)]
        )
    )
    said = b"".join(_replaced(said, list(_enclosed(said, _HTML, _HTML_END))))
    said = b"".join(_replaced(said, list(_enclosed(said, _BB, _BB_END))))
    return said.decode(errors="replace")


class _Found(NamedTuple):
    """A link in markup: its position in the text, in bytes, and its address."""

    start: int
    end: int
    address: bytes


def _enclosed(text: bytes, opening: Any, closing: Any) -> Iterable[_Found]:
    """Find links whose label is between two tags. An opening tag that is not closed soon after is
    no link.
    """
    ends = [end.span() for end in closing.finditer(text)]
    done = 0
    for tag in opening.finditer(text) if ends else ():
        start, label = tag.span()
        at = bisect_left(ends, (label, 0))
        if start < done or at == len(ends) or ends[at][0] - label > _LONGEST_LABEL:
            continue
        label_end, done = ends[at]
        yield _Found(start, done, tag[1] or text[label:label_end])


def _replaced(text: bytes, links: Sequence[_Found]) -> Iterable[bytes]:
    at = 0
    for start, end, address in links:
        yield from (text[at:start], b" ", address, b" ")
        at = end
    yield text[at:]


def _is_link(match: object) -> bool:
    schema, raw = getattr(match, "schema", ""), getattr(match, "raw", "")
    if schema == "mailto:":
        return False
    if schema or "/" in raw or raw.lower().startswith("www."):
        return True
    return raw.rpartition(".")[2].lower() not in _DOUBTFUL or named_host(raw) in _SHORTENERS


def _is_own(host: str, own: frozenset[str]) -> bool:
    return any(is_under(host, name) for name in own)


@cache
def _linkify() -> LinkifyIt:
    linkify = LinkifyIt()
    linkify.tlds(_TOP_LEVELS, keep_old=True)
    return linkify
