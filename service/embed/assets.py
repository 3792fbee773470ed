"""The files that a page loads: read once, compressed once, and answered with a 304 if unchanged."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from flask import Response, request

from models.locales.languages import languages
from models.locales.words import Words, read_words

FOLDER = Path(__file__).parent / "static"
ENGLISH_SLOT = "const ENGLISH = {};"
LANGUAGES_SLOT = "const LANGUAGES = /^(en)(-|$)/;"
VERSION_SLOT = 'const VERSION = "";'
WORDS_SLOT = "const WORDS = {};"
PARTS = (
    "actions",
    "appeal",
    "confirm",
    "own",
    "panel",
    "reader",
    "writing",
)  # modules that embed.js loads when they are needed
TYPES = {
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
    "json": "application/json",
}
FRESH_SECONDS = 300


class Asset(NamedTuple):
    content_type: str
    plain: bytes
    gzipped: bytes

    def answer(self) -> Response:
        """The asset for this request. Any page may load it: there is nothing private in it."""
        packed = request.accept_encodings.quality("gzip") > 0
        body = self.gzipped if packed else self.plain
        response = Response(body, content_type=f"{self.content_type}; charset=utf-8")
        response.set_etag(hashlib.sha256(body).hexdigest()[:16])
        response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.make_conditional(request)
        return response


@cache
def module() -> Asset:
    """Return the embed with the English words, the list of languages and the parts' fingerprint
    inserted. Most pages first need only this file, and every page has at least the English words.
    """
    spoken = LANGUAGES_SLOT.replace("en", "|".join(languages()))
    source = _filled((FOLDER / "embed.js").read_text("utf-8"), LANGUAGES_SLOT, spoken)
    source = _filled(source, VERSION_SLOT, f'const VERSION = "{_parts_version()}";')
    english = f"const ENGLISH = {_compact(read_words('en').embed)};"
    return _asset("js", _filled(source, ENGLISH_SLOT, english))


@cache
def part(name: str, code: str) -> Asset:
    """Return a module that is loaded when it is needed, with its words in one language inserted."""
    source = (FOLDER / f"{name}.js").read_text("utf-8")
    words = f"const WORDS = {_compact(used_words(source, read_words(code)))};"
    return _asset("js", _filled(source, WORDS_SLOT, words))


def used_words(source: str, words: Words) -> dict[str, dict[str, str]]:
    """Return the words that a module uses, as `WORDS.section.name` or all of `WORDS.section[…]`."""
    used: dict[str, dict[str, str]] = {}
    for section, name in re.findall(r"\bWORDS\.([a-z]+)(?:\.([a-z_]+)|\[)", source):
        texts = getattr(words, section)
        used.setdefault(section, {}).update({name: texts[name]} if name else texts)
    return used


def _parts_version() -> str:
    """Return a fingerprint of all parts, so that a page never mixes parts of two releases."""
    contents = [part(name, code).plain for name in PARTS for code in languages()]
    return hashlib.sha256(b"".join(contents)).hexdigest()[:8]


def _filled(source: str, slot: str, content: str) -> str:
    assert source.count(slot) == 1, f"{slot} must be in the source once"
    return source.replace(slot, content)


@cache
def locale(code: str) -> Asset:
    return _asset("json", _compact(read_words(code).embed))


@cache
def static(name: str) -> Asset:
    return _asset(name.rpartition(".")[2], (FOLDER / name).read_text("utf-8"))


def _asset(kind: str, text: str) -> Asset:
    plain = text.encode()
    return Asset(TYPES[kind], plain, gzip.compress(plain, mtime=0))


def _compact(words: dict[str, Any]) -> str:
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))
