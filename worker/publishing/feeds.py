"""A thread as an Atom feed (RFC 4287).

Its comments have the shape in which `pages.py` publishes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from xml.etree import ElementTree

from models.settings import settings
from models.store.published import PublishedComment

ATOM = "http://www.w3.org/2005/Atom"
BADGE = "urn:greenroom:badge"  # the scheme of a category that is the author's badge
_NO_XML = dict.fromkeys((0xFFFE, 0xFFFF))  # the two non-characters that XML 1.0 forbids


def feed(
    site: str, thread: str, comments: Iterable[PublishedComment], *, title: str | None, since: str
) -> bytes:
    """Return the feed of a page's comments, in their published shape. `since` is when the thread
    was created.
    """
    root = ElementTree.Element("feed", xmlns=ATOM)
    address = f"{settings().base_url}/sites/{site}/thread.atom?{urlencode({'thread': thread})}"
    entries = sorted(_flat(comments), key=lambda comment: str(comment["id"]), reverse=True)
    _leaf(root, "id", address)
    _leaf(root, "title", title or thread)
    _leaf(root, "updated", entries[0]["at"] if entries else since)
    ElementTree.SubElement(root, "link", rel="self", href=address)
    for comment in entries:
        entry = ElementTree.SubElement(root, "entry")
        _leaf(entry, "id", f"urn:uuid:{comment['id']}")
        _leaf(entry, "title", comment["name"])
        _leaf(entry, "updated", comment["edited_at"] or comment["at"])
        _leaf(ElementTree.SubElement(entry, "author"), "name", comment["name"])
        for badge in comment.get("badges", ()):
            ElementTree.SubElement(entry, "category", scheme=BADGE, term=badge.translate(_NO_XML))
        ElementTree.SubElement(
            entry, "link", href=f"{settings().base_url}/sites/{site}/c/{comment['id']}"
        )
        _leaf(entry, "content", comment["html"]).set("type", "html")
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _flat(comments: Iterable[PublishedComment]) -> Iterable[PublishedComment]:
    for comment in comments:
        if comment["id"]:
            yield comment
        yield from _flat(comment["replies"])


def _leaf(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    leaf = ElementTree.SubElement(parent, name)
    leaf.text = text.translate(_NO_XML)
    return leaf
