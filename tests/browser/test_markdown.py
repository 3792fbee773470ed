"""The renderer with the test suites of others, in a real browser: CommonMark's links and
DOMPurify's attacks.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser

from models.text.markdown import TAGS, render
from models.text.urls import link
from tests.npm_packages import npm_package

ELSEWHERE = "https://paper.example"
SECTIONS = {
    "Links",
    "Autolinks",
    "Images",
    "Link reference definitions",
    "Raw HTML",
    "Entity and numeric character references",
}
EXAMPLE = re.compile(
    r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$|^#{1,6} *(.*?)$", re.MULTILINE | re.DOTALL
)
ANCHOR = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
# Runs in the page and finds what a rendered comment may not contain.
LOOK = """
([tags, attributes]) => [...document.querySelectorAll('section')].map((part) => {
    const wrong = [];
    for (const element of part.querySelectorAll('*')) {
        if (!tags.includes(element.localName)) wrong.push(element.outerHTML);
        for (const {name} of element.attributes) if (!attributes.includes(name)) wrong.push(element.outerHTML);
        if (element.localName === 'a' && !['http:', 'https:'].includes(element.protocol)) wrong.push(element.outerHTML);
        if (element.localName === 'a' && element.rel !== 'ugc nofollow noopener') wrong.push(element.outerHTML);
        for (const kind of ['mouseover', 'focus', 'error', 'load', 'animationstart', 'toggle']) {
            element.dispatchEvent(new Event(kind));
        }
    }
    DOMPurify.sanitize(part.innerHTML);
    for (const {element, attribute} of DOMPurify.removed) wrong.push(element?.outerHTML ?? attribute?.name);
    return wrong;
})
"""
TRAPS = """
window.ran = [];
for (const name of ['alert', 'confirm', 'prompt', 'print', 'open', 'fetch']) {
    window[name] = (...given) => window.ran.push([name, String(given[0])]);
}
"""


class Example(NamedTuple):
    markdown: str
    html: str


def examples() -> list[Example]:
    """Return the examples of the sections about links, images and HTML, with absolute
    destinations.
    """
    text = (npm_package("commonmark-spec") / "spec.txt").read_text("utf-8").replace("→", "\t")
    found, section = [], ""
    for markdown, html, title in EXAMPLE.findall(text):
        if title:
            section = title
        elif section in SECTIONS:
            found.append(Example(_absolute(markdown), _absolute(html)))
    assert len(found) > 150
    return found


def _absolute(text: str) -> str:
    """Put `/uri` and `/url` on a host: Greenroom accepts no relative destination."""
    return re.sub(r"(?<![\w/.:])/(ur[il]\b)", rf"{ELSEWHERE}/\1", text)


def attacks() -> list[str]:
    """Return DOMPurify's fixtures, each as a whole comment and wherever Markdown takes an address
    or a text.
    """
    file = npm_package("dompurify-fixtures") / "test/fixtures/expect.js"
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "node is missing: make test installs it, or names the package"
    told = subprocess.run(
        [node, "-p", "JSON.stringify(require(process.argv[1]))", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    payloads = [fixture["payload"] for fixture in json.loads(told.stdout)]
    assert len(payloads) > 150
    forms = (
        "{}",
        "[{}](https://paper.example)",
        "[x]({})",
        "[x](<{}>)",
        "<{}>",
        "![{}]({})",
        "`{}`",
        "> - {}",
        "https://paper.example/{}",
    )
    return [form.replace("{}", payload) for payload in payloads for form in forms]


def look(chromium: Browser, bodies: Iterable[str]) -> list[tuple[str, Any]]:
    """Show the rendered bodies in a page without any policy. Return those that contain something
    forbidden, and what.

    Nothing may run and nothing may be loaded.
    """
    bodies = list(bodies)
    purify = (npm_package("dompurify") / "dist/purify.js").read_text("utf-8")
    parts = "".join(f"<section>{render(body)}</section>" for body in bodies)
    requests: list[str] = []
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: requests.append(dialog.message))
        page.set_content(
            f"<!doctype html><meta charset=utf-8><script>{TRAPS}</script><main>{parts}</main>"
        )
        page.add_script_tag(content=purify)
        wrong = page.evaluate(LOOK, [sorted(TAGS), ["href", "rel", "start"]])
        assert len(wrong) == len(bodies)
        assert page.evaluate("window.ran") == []
        assert requests == []
    finally:
        context.close()
    return [(body, found) for body, found in zip(bodies, wrong, strict=True) if found]


def test_no_attack_of_dompurifys_fixtures_survives(chromium: Browser) -> None:
    assert look(chromium, attacks()) == []


def test_no_example_of_commonmark_leaves_forbidden_html(chromium: Browser) -> None:
    assert look(chromium, (example.markdown for example in examples())) == []


def test_a_page_in_which_something_runs_is_noticed(
    chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm_package("dompurify")
    monkeypatch.setitem(globals(), "render", str)
    assert [
        body
        for body, _ in look(
            chromium, ["<p>fine</p>", "<b>bold</b>", '<a href="javascript:x">x</a>']
        )
    ] == [
        "<b>bold</b>",
        '<a href="javascript:x">x</a>',
    ]
    with pytest.raises(AssertionError):
        look(chromium, ["<script>alert(1)</script>"])
    with pytest.raises(AssertionError):
        look(chromium, ["<img src=https://paper.example/x.png>"])


def test_links_are_those_of_commonmark_plus_bare_addresses() -> None:
    """Of the links that comments have: inline ones to http and https, without references and
    images.
    """
    compared = 0
    for markdown, html in examples():
        if "]:" in markdown or "![" in markdown:
            continue
        ours, theirs = _anchors(render(markdown)), _anchors(html)
        more = {(href, text) for href, text in ours - theirs if not text.startswith("http")}
        assert (markdown, theirs - ours, more) == (markdown, set(), set())
        compared += bool(theirs)
    assert compared > 15


def _anchors(html: str) -> set[tuple[str, str]]:
    """Return address and text of the links to http and https, with the address as a browser
    understands it, without escapes.
    """
    found = {(link(unescape(href)), text) for href, text in ANCHOR.findall(html)}
    return {(unquote(url.href).replace("\\", "/"), text) for url, text in found if url}
