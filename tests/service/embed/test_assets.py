"""The files that a page loads for its comments: one module and, for languages other than English,
one file of words.
"""

from __future__ import annotations

import gzip
import json
import re

import brotli
import pytest

from models.locales.languages import languages
from models.locales.words import read_words
from service.embed import assets

MOST_BYTES = 8 * 1024


def brotlied(content: bytes) -> int:
    return len(brotli.compress(content, quality=11))


@pytest.mark.parametrize("code", languages())
def test_everything_a_page_loads_is_at_most_8_kilobytes(client, code):
    loaded = [client.get("/embed.js").data]
    if code != "en":
        loaded.append(client.get(f"/embed/locales/{code}.json").data)
    assert sum(map(brotlied, loaded)) <= MOST_BYTES


def test_the_module_is_as_written_but_for_its_words_and_languages(client):
    served = client.get("/embed.js").text
    source = (assets.FOLDER / "embed.js").read_text("utf-8")
    before, between, after = re.split(
        f"{re.escape(assets.ENGLISH_SLOT)}|{re.escape(assets.LANGUAGES_SLOT)}", source
    )
    assert served.startswith(before)
    assert served.endswith(after)
    words, asked = served[len(before) : -len(after)].split(between)
    assert json.loads(words.removeprefix("const ENGLISH = ").removesuffix(";")) == (
        read_words("en").embed
    )
    assert asked == f"const LANGUAGES = /^({'|'.join(languages())})(-|$)/;"


def test_every_word_the_module_uses_is_in_every_locale():
    source = (assets.FOLDER / "embed.js").read_text("utf-8")
    used = set(re.findall(r"\bwords\.([a-z]+)", source)) | {
        "body",
        "name",
        "email",
        "website",
        "pending",
        "flagged",
    }
    for code in languages():
        assert used <= set(read_words(code).embed)


def test_the_module_comes_packed_with_an_etag_and_may_be_loaded_by_any_page(client):
    plain = client.get("/embed.js", headers={"Accept-Encoding": "identity"})
    packed = client.get("/embed.js", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert plain.headers["Access-Control-Allow-Origin"] == "*"
    assert plain.content_type == "text/javascript; charset=utf-8"

    again = client.get(
        "/embed.js", headers={"If-None-Match": plain.headers["ETag"], "Accept-Encoding": "identity"}
    )
    assert (again.status_code, again.data) == (304, b"")
