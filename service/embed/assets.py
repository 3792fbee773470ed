"""The files that a page loads: read once, compressed once, and answered with a 304 if unchanged."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from flask import Response, request

from models.locales.languages import languages
from models.locales.words import read_words

FOLDER = Path(__file__).parent / "static"
ENGLISH_SLOT = "const ENGLISH = {};"
LANGUAGES_SLOT = "const LANGUAGES = /^(en)(-|$)/;"
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
    """Return the embed with the English words and the list of languages inserted. Most pages need
    only this file, and every page has at least the English words.
    """
    source = (FOLDER / "embed.js").read_text("utf-8")
    assert source.count(ENGLISH_SLOT) == source.count(LANGUAGES_SLOT) == 1
    spoken = LANGUAGES_SLOT.replace("en", "|".join(languages()))
    source = source.replace(LANGUAGES_SLOT, spoken)
    english = f"const ENGLISH = {_compact(read_words('en').embed)};"
    return _asset("js", source.replace(ENGLISH_SLOT, english))


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
