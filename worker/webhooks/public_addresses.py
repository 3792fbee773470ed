"""Decide which addresses webhooks may go to: only those of the public Internet, from an explicit
table.

Python's own `is_global` changes from version to version, and calls NAT64, 6to4 and some clouds'
metadata public. The table comes from IANA's registries of special-purpose addresses (IPv4, IPv6)
and of multicast addresses, plus the private addresses of two clouds.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

REFUSED_V4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared address space of a provider",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "internal to a cloud",  # Azure's agent and DNS
    "169.254.0.0/16": "link-local, with cloud metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved for protocols",  # 192.0.0.192: Oracle's metadata
    "192.0.2.0/24": "for documentation",
    "192.31.196.0/24": "reserved for protocols",
    "192.52.193.0/24": "reserved for protocols",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved for protocols",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
PUBLIC_V6 = IPv6Network(
    "2000::/3"
)  # all addresses that are assigned; others are refused without a name
REFUSED_V6 = {
    "2001::/23": "reserved for protocols",  # including Teredo, ORCHID and benchmarks
    "2001:db8::/32": "for documentation",
    "2002::/16": "6to4, which hides an IPv4 address",
    "2620:4f:8000::/48": "reserved for protocols",
    "3fff::/20": "for documentation",
}
NAMED_V6 = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::ffff:0:0/96": "an embedded IPv4 address",
    "::/96": "an embedded IPv4 address",
    "64:ff9b::/96": "NAT64, which hides an IPv4 address",
    "64:ff9b:1::/48": "NAT64, which hides an IPv4 address",
    "100::/64": "discard only",
    "5f00::/16": "segment routing",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
_V4 = [(IPv4Network(network), what) for network, what in REFUSED_V4.items()]
_V6 = [(IPv6Network(network), what) for network, what in {**REFUSED_V6, **NAMED_V6}.items()]


def why_refused(address: Address) -> str | None:
    """Return what kind of address it is, or None if it belongs to the public Internet."""
    if isinstance(address, IPv4Address):
        return next((what for network, what in _V4 if address in network), None)
    named = next((what for network, what in _V6 if address in network), None)
    return named or (None if address in PUBLIC_V6 and address.scope_id is None else "not allocated")


def as_address(host: str) -> Address | None:
    """Return the address that a URL's host spells out, without brackets, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
