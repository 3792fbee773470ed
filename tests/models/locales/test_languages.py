"""A site uses one of the languages that the embed has words for."""

from __future__ import annotations

import pytest

from models.locales.languages import languages
from models.locales.words import read_words
from service.sites import registering


def test_every_language_has_words_for_the_embed_and_for_the_pages() -> None:
    assert "en" in languages()
    assert list(languages()) == sorted(languages())
    for code in languages():
        assert read_words(code).embed
        assert read_words(code).pages


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_site_in_an_unknown_language_is_refused_with_the_known_ones(data: object) -> None:
    with pytest.raises(ValueError, match="one of ar, de, en") as refused:
        registering.add_site("norse", ["https://norse.example"], "nn")
    assert "'nn'" in str(refused.value)
