"""Adding, changing and listing sites; mistakes are explained."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Site
from models.store.database import reading
from service.sites import registering


@pytest.mark.parametrize("key", ["", "Demo", "a b", "-a", "a-", "a" * 65, "é", "a/b", "a\n"])
def test_a_sites_key_fits_into_a_url(data: object, key: str) -> None:
    with pytest.raises(ValueError, match="is not a valid site key"):
        registering.add_site(key, ["https://paper.example"])


@pytest.mark.parametrize(
    "origin",
    ["paper.example", "ftp://paper.example", "https://", "https://paper.example/news",
     "https://paper.example?x", "https://paper.example#x", "https://*.paper.example", "null"],
)  # fmt: skip
def test_an_origin_is_a_scheme_and_a_host(data: object, origin: str) -> None:
    with pytest.raises(ValueError, match="is not a valid origin: give scheme and host"):
        registering.add_site("paper", [origin])


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://Paper.Example/", "https://paper.example"),
        ("https://paper.example:443", "https://paper.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_stored_as_browsers_send_it(data: object, typed: str, stored: str) -> None:
    registering.add_site("paper", [typed])
    assert dict(registering.list_sites())["paper"] == [stored]


def test_a_site_is_added_once_and_changed_in_parts(data: object) -> None:
    registering.add_site("paper", ["https://paper.example"], "de")
    with pytest.raises(ValueError, match="The site 'paper' already exists"):
        registering.add_site("paper", ["https://other.example"])
    registering.set_site("paper", ["https://new.example"], None)
    registering.set_site("paper", [], "fr")
    with reading() as session:
        site = session.scalars(select(Site).where(Site.key == "paper")).one()
    assert (site.origins, site.locale) == (["https://new.example"], "fr")


@pytest.mark.parametrize(
    ("key", "origins", "locale", "words"),
    [
        ("demo", [], None, "Nothing to change"),
        ("nowhere", ["https://paper.example"], None, "There is no site"),
        ("demo", [], "xx", "no translation for the language 'xx'"),
        ("demo", ["x"], None, "is not a valid origin: give scheme and host"),
    ],
)
def test_a_wrong_change_of_a_site_is_explained(
    data: object, key: str, origins: list[str], locale: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        registering.set_site(key, origins, locale)
