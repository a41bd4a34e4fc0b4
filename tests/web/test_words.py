"""How what we know is said to people."""

from __future__ import annotations

import pytest

from idp.web.words import place_words


@pytest.mark.parametrize(
    ("inside", "addresses"),
    [
        (True, "127.0.0.1 ::1 10.1.2.3 172.31.0.9 192.168.1.1 fd12::5 169.254.0.7 fe80::1 ::ffff:10.0.0.9"),
        (False, "203.0.113.9 198.51.100.7 192.0.2.1 172.32.0.1 2001:db8::1 8.8.8.8 240e::1 100.64.0.1"),
    ],
    ids=["inside", "outside"],
)
def test_only_loopback_private_and_link_local_addresses_are_said_to_be_inside(
    inside: bool, addresses: str
) -> None:
    for address in addresses.split():
        assert ("内网地址" in place_words(address)) is inside, address
