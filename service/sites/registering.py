"""Add a site, change its origins and language, list sites: for the command line."""

from __future__ import annotations

from string import ascii_lowercase, digits

from sqlalchemy import select, update

from models.judgement.policy import Policy
from models.locales.languages import languages
from models.records import Site
from models.store.database import begin, insert_new, reading
from models.text.urls import link
from service.sites.lookup import KEY

_OF_A_HOST = frozenset(f"{ascii_lowercase}{digits}-_.:")


def add_site(key: str, origins: list[str], locale: str = "en") -> None:
    """Add a site. Raises ValueError, with a message for the person, for an invalid key, origin or
    language, or for a site that exists.
    """
    if not KEY.fullmatch(key):
        raise ValueError(
            f"{key!r} is not a valid site key: use at most 64 lower-case letters, digits, - and _."
        )
    row = {"key": key, "policy": Policy().model_dump(mode="json"), **_traits(origins, locale)}
    with begin() as session:
        made = session.connection().execute(insert_new(Site, "id"), row).one_or_none()
    if not made:
        raise ValueError(f"The site {key!r} already exists.")


def set_site(key: str, origins: list[str], locale: str | None) -> None:
    """Replace a site's origins, its language, or both. Every process knows within
    `lookup.FRESH_SECONDS`. Raises ValueError for a wrong value, nothing to set, or an unknown site.
    """
    traits = _traits(origins, locale)
    if not traits:
        raise ValueError("Nothing to change: give --origin, --language or both.")
    with begin() as session:
        if not session.execute(
            update(Site).where(Site.key == key).values(traits).returning(Site.id)
        ).first():
            raise ValueError(f"There is no site {key!r}.")


def _traits(origins: list[str], locale: str | None) -> dict[str, object]:
    """Return the columns for the given values."""
    if locale is not None and locale not in languages():
        raise ValueError(
            f"Greenroom has no translation for the language {locale!r}: choose one of "
            f"{', '.join(languages())}."
        )
    given = {"origins": [checked_origin(url) for url in origins], "locale": locale}
    return {name: value for name, value in given.items() if value}


def checked_origin(url: str) -> str:
    """Return the origin as browsers send it. Raises ValueError, with a message for the person, for
    anything else.
    """
    found = link(url)
    is_origin = url.rstrip("/").count("/") == 2 and not {"?", "#", "\\"} & set(url)
    if found is None or not is_origin or not _OF_A_HOST.issuperset(found.host):
        raise ValueError(
            f"{url!r} is not a valid origin: give scheme and host, like https://paper.example."
        )
    return found.origin


def list_sites() -> list[tuple[str, list[str]]]:
    """Return the key and the origins of each site."""
    with reading() as session:
        return [
            (row.key, row.origins)
            for row in session.execute(select(Site.key, Site.origins).order_by(Site.key))
        ]
