"""Readers' IP addresses as Greenroom stores them: keyed hashes whose key changes every day and is
then deleted.
"""

from __future__ import annotations

import hmac
import os
from datetime import UTC, date, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from flask import request
from sqlalchemy import select

from models import caches
from models.records import AddressKey
from models.store.database import begin, insert_new

# IPv6 addresses that contain an IPv4 address: the owner of that one has all of these.
_COMPATIBLE = IPv6Network("::/96")  # obsolete, but some programs still write ::192.0.2.1
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052's well-known prefix


def reader() -> str:
    """Return today's hash of the client's address."""
    return hashed(request.remote_addr or "")


def hashed(address: str) -> str:
    """Return today's hash of this address."""
    return hmac.new(
        _key(datetime.now(UTC).date()), owner_of(address).encode(), "sha256"
    ).hexdigest()


def is_address(text: str) -> bool:
    """Whether it is an IP address, perhaps with brackets, a zone or a port."""
    try:
        ip_address(owner_of(text))
    except ValueError:
        return False
    return True


def owner_of(address: str) -> str:
    """Return the owner that an address stands for: the network (/64) of an IPv6 address, because
    its owner has all of it, or the IPv4 address inside.

    Ports, zones, brackets and quotes do not count. Any other text, such as a Unix socket, stands
    for itself.
    """
    bare = _without_port(address.strip().strip('"').strip().lower())
    try:
        parsed = ip_address(bare.partition("%")[0])
    except ValueError:
        return bare
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(_ipv4_within(parsed) or IPv6Address(int(parsed) >> 64 << 64))


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64 or (
        address in _COMPATIBLE and int(address) > 1
    ):  # :: and ::1 are addresses of their own
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo  # the server, which thousands share, and the client
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _without_port(address: str) -> str:
    """Remove the port: some proxies forward `192.0.2.1:4711` or `[2001:db8::1]:4711`, and the next
    request of the same reader would count as another reader.
    """
    if address.startswith("["):
        return address[1:].partition("]")[0].strip()
    return address.partition(":")[0].strip() if address.count(":") == 1 else address


@lru_cache(maxsize=2)
def _key(day: date) -> bytes:
    """Return the day's key, the same in all processes: the first process that needs it makes it."""
    with begin() as session:
        session.connection().execute(insert_new(AddressKey), {"day": day, "key": os.urandom(32)})
        return session.execute(select(AddressKey.key).where(AddressKey.day == day)).scalar_one()


caches.register(_key.cache_clear)
