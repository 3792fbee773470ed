"""A comment's Markdown as the HTML that readers get: rendered and sanitised once, when it is
settled.
"""

from __future__ import annotations

from functools import cache, lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING

from models.text.cleaning import is_blank
from models.text.urls import link

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https"}
MOST_MARKS, MOST_LINKS, MOST_TRIED = 500, 50, 20_000
# More stops or lines than these cost a parser as much as a hundred comments: such a text is shown
# as it was typed.
MOST_STOPS, MOST_LINES = 1500, 500
_STOPS = "$%&*+-:<=>@[\\]^_`{}~!#|"  # where a parser of Markdown stops to look
MAX_NESTING = 50  # deeper quotes and lists than anyone writes are cut off
_HREF = 'href="'


@lru_cache(maxsize=64)
def render(body: str) -> str:
    """HTML of the tags above and nothing else; links open with `rel="ugc nofollow noopener"`.

    Remembered, as a screening asks several times.
    """
    import nh3  # noqa: PLC0415 — the web process rarely renders

    return nh3.clean(
        as_typed(body)
        if _is_dense(body)
        else _parser(is_ordinary=_is_ordinary(body), has_address="//" in body).render(body),
        tags=TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="ugc nofollow noopener",
        strip_comments=True,
    ).strip()


def as_typed(body: str) -> str:
    """The text without its Markdown, for a comment that could not be rendered."""
    return f"<p>{escape(body, quote=False)}</p>".replace("\n", "<br>")


def shown(body: str) -> str:
    """The words alone, as a reader sees them."""
    if _is_dense(body):
        return body.replace("\n", "")  # what `words_of` would find in it, in a fifth of the time
    return words_of(render(body))


def words_of(rendered: str) -> str:
    """The words of what `render` made."""
    import nh3  # noqa: PLC0415

    return unescape(nh3.clean(rendered, tags=set()))


def links(rendered: str) -> list[str]:
    """The addresses of the links in what `render` made."""
    if "<a " not in rendered:
        return []
    return [unescape(part.partition('"')[0]) for part in rendered.split(f"<a {_HREF}")[1:]]


def _href(address: str) -> str:
    """What a link to this address publishes; "" for an address that stays as it was typed.

    An address that hides its host behind "%" or a backslash is refused, although browsers
    understand it.
    """
    url = link(address)
    return url.href if url and not _hides_its_host(address) else ""


def _hides_its_host(address: str) -> bool:
    host = address.split("/", 3)[2].partition("?")[0].partition("#")[0]
    return "%" in host or "\\" in host


def _without_unseen_links(state: StateCore) -> None:
    """A link that leads nowhere or shows nothing is published as it was typed."""
    for block in state.tokens:
        if block.children and any(token.type == "link_open" for token in block.children):
            _unlink_unseen(block.children)


def _unlink_unseen(tokens: list[Token]) -> None:
    opened, shown_since = None, False
    for token in tokens:
        if token.type == "link_open":
            opened, shown_since = token, False
        elif token.type == "link_close" and opened is not None:
            href = str(opened.attrs.get("href", ""))
            if not (href and shown_since):
                for end, text in ((opened, "["), (token, f"]({href})")):
                    end.type, end.tag, end.content, end.nesting = "text", "", text, 0
            opened = None
        elif token.type in _WITH_TEXT:
            shown_since = shown_since or not is_blank(token.content)


_WITH_TEXT = {"text", "text_special", "code_inline"}


def _is_dense(body: str) -> bool:
    return len(body) > MOST_LINES and (
        body.count("\n") > MOST_LINES or sum(map(body.count, _STOPS)) > MOST_STOPS
    )


def _is_ordinary(body: str) -> bool:
    """Whether the text may be searched for links and emphasis: thousands of openings take a parser
    half a second.
    """
    if "](" in body and body.count("](") * max(map(len, body.split())) > MOST_TRIED:
        return False  # a parser reads on from each of these to the next blank
    return sum(map(body.count, "[*_~`<")) <= MOST_MARKS and body.count("//") <= MOST_LINKS


@cache
def _parser(*, is_ordinary: bool, has_address: bool) -> MarkdownIt:
    """Raw HTML is shown as typed, a line end is a line end, and a bare address becomes a link:
    looking for one takes most of a rendering's time, so nobody looks where none can be.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt(
        "js-default", {"html": False, "linkify": True, "breaks": True, "maxNesting": MAX_NESTING}
    )
    parser.disable(["image", "table", "heading", "lheading", "hr", "reference"])
    parser.normalizeLink = _href  # type: ignore[method-assign, assignment]
    shown_by_default = parser.normalizeLinkText
    # Not decoded: the name of another host can be spelled with letters that look like this one's.
    parser.normalizeLinkText = (  # type: ignore[method-assign]
        lambda link: link if "xn--" in link.lower() else shown_by_default(link)
    )
    parser.validateLink = bool  # type: ignore[method-assign, assignment]
    parser.core.ruler.push("without_unseen_links", _without_unseen_links)
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    if not is_ordinary:
        parser.disable(["link", "autolink", "emphasis", "strikethrough", "backticks"])
    return parser if is_ordinary and has_address else parser.disable("linkify")
