"""Two spellings of one reader's address count as one, and two readers' addresses as two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.settings import settings
from service.http.addresses import owner_of
from tests.caller import COMMENT, Client


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ('"192.0.2.1:4711"', "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),  # IPv4-mapped
        ("::FFFF:C000:201", "192.0.2.1"),
        ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("::ffff:192.0.2.1%eth0", "192.0.2.1"),
        ("::192.0.2.1", "192.0.2.1"),  # IPv4-compatible
        ("64:ff9b::192.0.2.1", "192.0.2.1"),  # NAT64
        ("64:ff9b::c000:201", "192.0.2.1"),
        ("2002:c000:201::1", "192.0.2.1"),  # 6to4: one IPv4 address has 65,536 networks
        ("2002:c000:201:ffff::9", "192.0.2.1"),
        (
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "192.0.2.45",
        ),  # Teredo: the client, not its server
        ("2001:db8::1", "2001:db8::"),
        ("2001:DB8:0:0:ffff::1", "2001:db8::"),
        ('"[2001:db8::1]:4711"', "2001:db8::"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("[fe80::1%25eth0]:80", "fe80::"),
        ("::1", "::"),
        ("::", "::"),
        (
            "64:ff9b:1::1",
            "64:ff9b:1::",
        ),  # a private NAT64 prefix does not tell where the IPv4 address is
        ("", ""),
        ("unix:", "unix"),
        ("unknown", "unknown"),
        ("_hidden:80", "_hidden"),
        ("999.1.1.1", "999.1.1.1"),
        ("192.0.2.01", "192.0.2.01"),
        ("[", ""),
        ("1:2:3", "1:2:3"),
    ],
)
def test_an_address_counts_as_its_owner(address: str, owner: str) -> None:
    assert owner_of(address) == owner


def test_the_two_networks_and_two_addresses_next_to_each_other_are_two_owners() -> None:
    assert owner_of("2001:db8:0:1::1") != owner_of("2001:db8:0:2::1")
    assert owner_of("192.0.2.1") != owner_of("192.0.2.2")
    assert owner_of("64:ff9b::192.0.2.1") != owner_of("64:ff9b::192.0.2.2")


@given(st.text(max_size=60))
def test_nonsense_is_no_error_and_counts_as_itself(text: str) -> None:
    assert owner_of(text) == owner_of(text)


@given(st.ip_addresses(v=4))
def test_all_spellings_of_an_ipv4_address_count_as_one_owner(address: object) -> None:
    forms = ("{}", "{}:80", "::ffff:{}", "[::ffff:{}]:80", "64:ff9b::{}")
    assert {owner_of(form.format(address)) for form in forms} == {str(address)}


def test_the_rate_limit_counts_both_forms_together(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GREENROOM_RATE_LIMITS", raising=False)
    monkeypatch.setenv("GREENROOM_RATE_PER_MINUTE", "2")
    settings.cache_clear()
    statuses = [
        client.post(
            "/v1/sites/demo/comments",
            json=COMMENT | {"body": f"Comment number {number}"},
            environ_base={"REMOTE_ADDR": address},
        ).status_code
        for number, address in enumerate(
            ("192.0.2.77", "::ffff:192.0.2.77", "64:ff9b::192.0.2.77", "192.0.2.78")
        )
    ]
    assert statuses == [202, 202, 429, 202]
