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
        raise Refused("The URL must have at most 2000 characters and no spaces.")
    if not url.lower().startswith(("http://", "https://")):
        raise Refused("The URL must begin with https://.")
    found = parse(url)
    if found is None:
        raise Refused("This is not a valid URL.")
    if link(url) is None:
        raise Refused(
            "The URL must not contain a user name or password. Send them in a custom header "
            "instead."
        )
    if "#" in url:
        raise Refused("The URL must not contain a #fragment.")
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
        raise Refused(f"Webhooks must use https; {ALLOW}.")
    if port not in settings().webhook_ports:
        ports = " and ".join(map(str, settings().webhook_ports))
        raise Refused(
            f"Webhooks must use port {ports}, not {port}; GREENROOM_WEBHOOK_PORTS allows other "
            "ports."
        )


def _check_host(url: str, host: str) -> None:
    """Check an address right away. A name is checked when it is resolved."""
    if (address := as_address(host)) is None:
        return
    check(address)
    if ":" not in host and host not in url:
        raise Refused("Write an IPv4 address as four numbers and an IPv6 address in brackets.")


def check(address: Address) -> None:
    """Raise `Refused` for an address that is not public."""
    why = why_refused(address)
    if why and not settings().webhook_allow_private:
        raise Refused(f"{address} is not a public address ({why}); {ALLOW}.")
