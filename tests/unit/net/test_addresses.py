"""Which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest

from safelight.net.addresses import is_public


@pytest.mark.parametrize("text", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "223.255.255.254"])
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        str(ipaddress.IPv4Address(0)),
        *("0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1"),
        *("fd00:ec2::254", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1"),
        *("64:ff9b:1::1", "64:ff9b::a9fe:a9fe", "100::1", "2606:4700::1111%eth0"),
    ],
)
def test_private_special_and_disguised_addresses_are_not(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
