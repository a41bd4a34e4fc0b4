"""Where an address is: the file of places, and how far apart two of them are."""

from __future__ import annotations

import ipaddress
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

import idp.demo
from idp.adapters.places import UNKNOWN, Place, Places, distance_km, far_apart
from idp.config import SettingsRefused

CHANGCHUN, SHENYANG = Place("吉林省长春市", 43.88, 125.32), Place("辽宁省沈阳市", 41.80, 123.43)
SIPING = Place("吉林省四平市", 43.17, 124.35)
FUXIN = Place("示例镇", 44.4, 125.6)

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a file of places."""

    def write(text: str) -> Path:
        path = tmp_path / "places.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def names(places: Places, *addresses: str) -> list[str]:
    return [places.words(address) for address in addresses]


def test_an_address_is_where_its_network_is(written: Written) -> None:
    places = Places.load(written("192.0.2.0/24,长春,43.88,125.32\n2001:db8::/32,沈阳,41.8,123.43\n"))
    assert places.of("192.0.2.7") == Place("长春", 43.88, 125.32)
    assert names(places, "192.0.2.0", "192.0.2.255", "2001:db8::", "2001:db8:ffff::1") == [
        *["长春"] * 2,
        *["沈阳"] * 2,
    ]
    assert names(places, "192.0.1.255", "192.0.3.0", "2001:db7:ffff::", "2001:db9::") == [UNKNOWN] * 4


def test_the_narrowest_network_counts_wherever_it_stands(written: Written) -> None:
    lines = [
        "10.0.0.0/8,省,43,125",
        "10.1.0.0/16,市,43,126",
        "10.1.0.0/24,区,43,127",
        "10.1.255.255/32,楼,43,128",
        "0.0.0.0/0,国,40,116",
    ]
    for order in (lines, lines[::-1]):
        places = Places.load(written("\n".join(order)))
        found = names(places, "10.0.0.1", "10.1.0.9", "10.1.1.0", "10.1.255.255", "10.2.0.0", "9.9.9.9")
        assert found == ["省", "区", "市", "楼", "省", "国"]
        assert names(places, "0.0.0.1", "255.255.255.255") == ["国", "国"]


def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address(written: Written) -> None:
    assert Places.load(written("192.0.2.0/24,长春,43.88,125.32")).words("::ffff:192.0.2.1") == "长春"


@pytest.mark.parametrize("address", ["", "localhost", "192.0.2", "192.0.2.1 ", "x" * 500, "fe80::1%eth0"])
def test_what_is_no_address_is_nowhere(written: Written, address: str) -> None:
    assert Places.load(written("192.0.2.0/24,长春,43.88,125.32")).of(address) is None


def test_without_a_file_every_place_is_unknown() -> None:
    places = Places.load("")
    assert (places.of("127.0.0.1"), places.words("127.0.0.1")) == (None, UNKNOWN)


def test_comments_blank_lines_and_a_heading_are_passed_over(written: Written) -> None:
    heading = "\ufeff# 说明, 一行\nnetwork,place,latitude,longitude\n\n # 另一行\n"
    text = f"{heading} 192.0.2.0/24 , 长春 , 43.88 , 125.32 \r\n"
    assert Places.load(written(text)).words("192.0.2.1") == "长春"


GOOD = "192.0.2.0/24,长春,43.88,125.32\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("192.0.2.0/24,长春,43.88", "has 3 columns"),
        ("192.0.2.0/24,长春,43.88,125.32,", "has 5 columns"),
        ("192.0.2.1/24,长春,43.88,125.32", "is no network"),
        ("nowhere,长春,43.88,125.32", "is no network"),
        ("198.51.100.0/24,,43.88,125.32", "a place has a name"),
        (f"198.51.100.0/24,{'长' * 41},43.88,125.32", "a place has a name"),
        ("198.51.100.0/24,长\x07春,43.88,125.32", "a place has a name"),
        ("198.51.100.0/24,长春,91,125.32", "from -90 to 90"),
        ("198.51.100.0/24,长春,43.88,-180.1", "from -180 to 180"),
        ("198.51.100.0/24,长春,nan,125.32", "from -90 to 90"),
        ("198.51.100.0/24,长春,43.88,inf", "from -180 to 180"),
        ("198.51.100.0/24,长春,北纬,125.32", "from -90 to 90"),
        ("192.0.2.0/24,沈阳,41.8,123.43", "twice"),
        ('198.51.100.0/24,"长春,43.88,125.32', "it is no CSV"),
        ("network,place,latitude,longitude", "is no network"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(written: Written, line: str, why: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        Places.load(written(f"# first\n{GOOD}{line}\n"))
    assert str(refused.value).startswith("IDP_PLACES_FILE, line 3: ")
    assert why in str(refused.value)


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "gbk.csv").write_bytes("192.0.2.0/24,长春,43.88,125.32\n".encode("gbk"))
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "gbk.csv"):
        with pytest.raises(SettingsRefused, match="IDP_PLACES_FILE cannot be read"):
            Places.load(path)


def test_two_places_are_far_apart_from_a_hundred_kilometres_on() -> None:
    # Changchun lies 280 km from Shenyang and 111 from Siping.
    assert distance_km(CHANGCHUN, SHENYANG) == pytest.approx(278, abs=6)
    assert distance_km(CHANGCHUN, CHANGCHUN) == 0
    assert far_apart(CHANGCHUN, SHENYANG)
    assert far_apart(SIPING, CHANGCHUN)
    assert not far_apart(CHANGCHUN, FUXIN)
    # Over the date line it is a step.
    assert not far_apart(Place("东", 0, 179.9), Place("西", 0, -179.9))
    assert distance_km(Place("北", 90, 0), Place("南", -90, 0)) == pytest.approx(20015, abs=20)


def test_the_unknown_is_never_far() -> None:
    for pair in ((None, None), (CHANGCHUN, None), (None, SHENYANG)):
        assert not far_apart(*pair)


def test_the_demo_knows_its_own_machine() -> None:
    places = Places.load(Path(idp.demo.__file__).with_name("places.csv"))
    assert places.words("127.0.0.1") == places.words("::1") == "吉林省松原市"
    here, *elsewhere = (places.of(a) for a in ("127.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1"))
    assert all(far_apart(here, there) for there in elsewhere)


NETWORKS = some.builds(
    lambda number, prefix: ipaddress.ip_network((number >> (32 - prefix) << (32 - prefix), prefix)),
    some.integers(0, 2**32 - 1),
    some.integers(1, 32),
)


@given(some.sets(NETWORKS, min_size=1, max_size=12), some.integers(0, 2**32 - 1))
def test_one_search_finds_what_looking_at_every_network_finds(
    networks: set[ipaddress.IPv4Network], number: int
) -> None:
    lines = [(network, f"地{index}") for index, network in enumerate(sorted(networks))]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.writelines(f"{network},{name},1,1\n" for network, name in lines)
        file.flush()
        places = Places.load(file.name)
    edges = [int(end) for network in networks for end in (network[0], network[-1])]
    for one in {number, *edges, *(edge + 1 for edge in edges), *(edge - 1 for edge in edges)}:
        if not 0 <= one < 2**32:
            continue
        address = ipaddress.IPv4Address(one)
        around = [(network.prefixlen, name) for network, name in lines if address in network]
        assert places.words(str(address)) == (max(around)[1] if around else UNKNOWN)


def test_a_hundred_thousand_networks_would_take_less_than_twenty_megabytes(written: Written) -> None:
    lines = [f"{ipaddress.IPv4Address(n * 769 << 8)}/24,市{n % 400},{n % 400 / 5},1" for n in range(20_000)]
    path = written("\n".join(lines))
    tracemalloc.start()
    places = Places.load(path)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert places.words("0.0.0.1") == "市0"
    assert kept < 20_000_000 / 5
