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


def test_the_module_is_as_written_but_for_its_words_languages_and_version(client):
    served = client.get("/embed.js").text
    for pattern, slot in (
        (r"^const ENGLISH = .*};", assets.ENGLISH_SLOT),
        (r"^const LANGUAGES = .*/;", assets.LANGUAGES_SLOT),
        (r'^const VERSION = "[0-9a-f]{8}";', assets.VERSION_SLOT),
    ):
        served = re.sub(pattern, slot.replace("\\", "\\\\"), served, count=1, flags=re.M)
    assert served == (assets.FOLDER / "embed.js").read_text("utf-8")
    assert f"/^({'|'.join(languages())})(-|$)/" in client.get("/embed.js").text
    assert json.dumps(read_words("en").embed, separators=(",", ":"), ensure_ascii=False) in (
        client.get("/embed.js").text
    )


def test_every_word_the_module_uses_is_in_every_locale():
    source = (assets.FOLDER / "embed.js").read_text("utf-8")
    used = set(re.findall(r"\bwords\.([a-z]+)", source)) | {"body", "name", "email", "website"}
    for code in languages():
        assert used <= set(read_words(code).embed)


@pytest.mark.parametrize("name", assets.PARTS)
def test_a_part_is_served_with_the_words_it_uses_and_no_others(client, name):
    source = (assets.FOLDER / f"{name}.js").read_text("utf-8")
    for code in languages():
        served = client.get(f"/embed/{code}/{name}.js")
        assert served.content_type == "text/javascript; charset=utf-8"
        assert served.headers["Access-Control-Allow-Origin"] == "*"
        assert served.headers["ETag"]
        words = json.loads(
            re.search(r"^const WORDS = (.*);", served.text, re.M)[1].split("; //")[0]
        )
        assert words == assets.used_words(source, read_words(code))
        assert all(words.values())


def test_the_main_module_loads_its_parts_by_their_current_version(client, monkeypatch):
    before = re.search(r'VERSION = "(\w+)"', assets.module.__wrapped__().plain.decode())[1]
    assert before in client.get("/embed.js").text
    monkeypatch.setattr(assets, "PARTS", assets.PARTS[1:])
    assert before not in assets.module.__wrapped__().plain.decode()


@pytest.mark.parametrize("path", ["en/embed.js", "en/nothing.js", "xx/writing.js", "nothing.css"])
def test_an_unknown_part_or_language_is_not_found(client, path):
    assert client.get(f"/embed/{path}").status_code == 404


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
