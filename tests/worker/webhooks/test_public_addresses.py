"""Which addresses a webhook may go to: a table of the edges, on each side of every range."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from worker.webhooks.public_addresses import (
    NAMED_V6,
    REFUSED_V4,
    REFUSED_V6,
    as_address,
    why_refused,
)

# IANA's ranges that border on another refused range at that edge.
NO_PUBLIC_NEIGHBOUR_BELOW = {"0.0.0.0/8", "240.0.0.0/4"}
NO_PUBLIC_NEIGHBOUR_ABOVE = {"224.0.0.0/4", "240.0.0.0/4"}


@pytest.mark.parametrize(("network", "why"), {**REFUSED_V4, **REFUSED_V6}.items())
def test_a_range_is_refused_from_its_first_to_its_last_address(network: str, why: str) -> None:
    block = ip_network(network)
    assert why_refused(block[0]) == why
    assert why_refused(block[-1]) == why


@pytest.mark.parametrize("network", REFUSED_V4)
def test_the_addresses_beside_a_range_are_public(network: str) -> None:
    block = ip_network(network)
    if network not in NO_PUBLIC_NEIGHBOUR_BELOW:
        assert why_refused(block[0] - 1) is None
    if network not in NO_PUBLIC_NEIGHBOUR_ABOVE:
        assert why_refused(block[-1] + 1) is None


@pytest.mark.parametrize(("network", "why"), NAMED_V6.items())
def test_a_named_range_outside_the_assigned_addresses_is_refused_by_its_name(
    network: str, why: str
) -> None:
    assert why_refused(ip_network(network)[-1]) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1fff:ffff::1", "not allocated"),
        ("2000::1", None),
        ("3ffe:ffff::1", None),
        ("4000::1", "not allocated"),
        ("2001:200::1", None),  # right above the addresses reserved for protocols
        ("2001:1ff:ffff::1", "reserved for protocols"),
        ("2001:db9::1", None),
        ("2003::1", None),
        ("::ffff:8.8.8.8", "an embedded IPv4 address"),  # even a public one
        ("64:ff9b::8.8.8.8", "NAT64, which hides an IPv4 address"),
        ("2606:4700::1111", None),
        ("2606:4700::1111%eth0", "not allocated"),  # a zone makes it depend on this machine
    ],
)
def test_the_edges_of_ipv6(text: str, why: str | None) -> None:
    assert why_refused(ip_address(text)) == why


@pytest.mark.parametrize(
    "cloud", ["169.254.169.254", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"]
)
def test_a_clouds_metadata_is_refused(cloud: str) -> None:
    assert why_refused(ip_address(cloud)) is not None


@pytest.mark.parametrize(
    ("host", "is_address"),
    [
        ("192.0.2.7", True),
        ("2001:db8::1", True),
        ("[2001:db8::1]", False),  # brackets belong to the URL
        ("192.0.2", False),
        ("0x7f000001", False),
        ("192.0.2.007", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_only_a_plain_spelling_is_an_address(host: str, is_address: bool) -> None:
    assert (as_address(host) is not None) is is_address
