"""Take a webhook's URL apart, and refuse the addresses that Greenroom never contacts."""

from __future__ import annotations

import re
from typing import NamedTuple

from models.settings import settings
from models.text.urls import authority_of, link, parse
from worker.webhooks.public_addresses import Address, as_address, why_refused

ALLOW = "for development, GREENROOM_WEBHOOK_ALLOW_PRIVATE=true allows it"


class Unsent(Exception):
    """Raised when a request got no answer. The message says why."""


class Refused(Unsent):
    """Raised for a URL that Greenroom refuses to contact."""


class Target(NamedTuple):
    """Where a URL leads: host in ASCII, without brackets; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return authority_of(self.scheme, self.host, self.port)


def target(url: str) -> Target:
    """Take a URL apart. Raises `Refused` with a sentence for the person who typed it."""
    if len(url) > 2000 or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Refused("A URL has at most 2000 characters, and no spaces among them.")
    if not url.lower().startswith(("http://", "https://")):
        raise Refused("A webhook's URL begins with https://.")
    found = parse(url)
    if found is None:
        raise Refused("This is not a URL.")
    if link(url) is None:
        raise Refused("No name and password in the URL; a header of your own can carry them.")
    if "#" in url:
        raise Refused("A webhook's URL has no #fragment.")
    _check_port(found.scheme, found.port)
    _check_host(url, found.host)
    return Target(
        found.scheme,
        found.host,
        found.port,
        found.path + (f"?{found.query}" if found.query else ""),
    )


def _check_port(scheme: str, port: int) -> None:
    if settings().webhook_allow_private:
        return
    if scheme != "https":
        raise Refused(f"Webhooks go by https only; {ALLOW}.")
    if port not in settings().webhook_ports:
        ports = " and ".join(map(str, settings().webhook_ports))
        raise Refused(
            f"Webhooks go to ports {ports} only, not to {port}; GREENROOM_WEBHOOK_PORTS names "
            "others."
        )


def _check_host(url: str, host: str) -> None:
    """Check an address right away. A name is checked when it is resolved."""
    if (address := as_address(host)) is None:
        return
    check(address)
    if ":" not in host and host not in url:
        raise Refused("Write an address plainly, as four numbers or in brackets.")


def check(address: Address) -> None:
    """Raise `Refused` for an address that is not public."""
    why = why_refused(address)
    if why and not settings().webhook_allow_private:
        raise Refused(f"{address} is not a public address ({why}); {ALLOW}.")
