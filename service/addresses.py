"""A reader's address, as this service remembers it: a keyed hash whose key changes every day and is then deleted."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, date, datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from flask import request
from sqlalchemy import select

from models.database import begin, insert_new
from models.records import AddressKey


def reader() -> str:
    """Today's hash of the address that asks. Of IPv6 the network counts (/64): its owner has all of it."""
    address = _without_port(request.remote_addr or "")
    try:
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
            address = str(IPv6Address(int(parsed) >> 64 << 64))
    except ValueError:
        pass  # a Unix socket, or a proxy that sends nonsense: hashed as it is
    return hmac.new(_key(datetime.now(UTC).date()), address.encode(), "sha256").hexdigest()


def _without_port(address: str) -> str:
    """Some proxies forward `192.0.2.1:4711` or `[2001:db8::1]:4711`, and who comes back would be somebody new."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


@lru_cache(maxsize=2)
def _key(day: date) -> bytes:
    """The day's key, the same in all processes: whoever needs it first makes it."""
    with begin() as session:
        session.connection().execute(insert_new(AddressKey), {"day": day, "key": os.urandom(32)})
        return session.execute(select(AddressKey.key).where(AddressKey.day == day)).scalar_one()
