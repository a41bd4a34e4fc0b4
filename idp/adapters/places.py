"""Where an address is, as far as a file of the installation says (docs/places.md).

The file of ``IDP_PLACES_FILE`` is read once, when somebody first asks. What stands in it is flattened into
stretches of addresses that do not overlap, in the order of the addresses, so that an answer is one search.
100,000 networks take 2 MB for IPv4, 4.5 MB for IPv6, and 30 MB for the seconds of reading them. A place
that many networks share is kept once; each costs 200 octets.

An address that stands nowhere is unknown, and the unknown is never far from anything.
"""

from __future__ import annotations

import csv
import ipaddress
import math
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from idp.config import Settings, SettingsRefused

UNKNOWN = "地点未知"
FAR_KM = 100.0
"""From this distance on somebody is asked once more (SECURITY, QR login)."""
_EARTH_KM = 6371.0
_LONGEST_NAME = 40
_COLUMNS = ("network", "place", "latitude", "longitude")
_NOWHERE = -1

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """A place by its name, and where it is in degrees (WGS 84)."""

    name: str
    latitude: float
    longitude: float


class Places:
    """The places of one file; without a file every place is unknown."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._read: _Atlas | None = None

    @classmethod
    def load(cls, path: Path | str) -> Places:
        """The places of this file, read now; none for an empty name. Raises SettingsRefused."""
        places = cls(Path(path) if path else None)
        places.check()
        return places

    def check(self) -> None:
        """Return if the file can be used. Raises SettingsRefused, with the line where it cannot."""
        self._atlas()

    def of(self, address: str) -> Place | None:
        """Where this address is; None where nobody knows, and for what is no address."""
        try:
            found: Address = ipaddress.ip_address(address)
        except ValueError:
            return None
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return self._atlas().of(mapped or found)

    def words(self, address: str) -> str:
        """The same in words, for people."""
        place = self.of(address)
        return place.name if place else UNKNOWN

    def _atlas(self) -> _Atlas:
        if self._read is None:
            with self._reading:
                if self._read is None:
                    self._read = _Atlas(_rows(self._path) if self._path else ())
        return self._read


def places_of(settings: Settings) -> Places:
    """The places of this installation, not read yet."""
    return Places(Path(settings.places_file) if settings.places_file else None)


def far_apart(one: Place | None, other: Place | None) -> bool:
    """Whether both are known and more than :data:`FAR_KM` apart; the unknown warns nobody."""
    return one is not None and other is not None and distance_km(one, other) > FAR_KM


def distance_km(one: Place, other: Place) -> float:
    """The way over the ground, by the haversine formula; a few tenths of a percent off, as no ball is."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    half_chord = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(math.radians(one.longitude - other.longitude) / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half_chord)))


class _Starts:
    """Where stretches begin: addresses as their octets, which sort as the addresses do."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._octets = bytearray()

    def append(self, number: int) -> None:
        """The next one."""
        self._octets += number.to_bytes(self._width)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._octets) // self._width

    def __getitem__(self, index: int) -> bytes:
        """The one at this place."""
        return bytes(self._octets[index * self._width : (index + 1) * self._width])


class _Stretches:
    """The addresses of one version in stretches, each with the number of its place."""

    def __init__(self, networks: Iterable[tuple[int, int, int, int]], width: int) -> None:
        """`networks`: first and last address, the number of the place, the line. Raises SettingsRefused."""
        self._starts, self._numbers = _Starts(width), array("i")
        last_address = (1 << 8 * width) - 1
        around: list[tuple[int, int]] = []

        def leave_until(number: int) -> None:
            # Networks lie inside one another or apart: behind the inner one the outer one goes on.
            while around and around[-1][0] < number:
                last, _ = around.pop()
                outside = around[-1][1] if around else _NOWHERE
                if last < last_address and (not around or around[-1][0] > last):
                    self._begin(last + 1, outside)

        # Of two that begin together the wider one comes first, so that the inner one takes its place.
        before = None
        for first, last, place, line in sorted(networks, key=lambda network: (network[0], -network[1])):
            if (first, last) == before:
                raise _refused(line, "its network stands there twice")
            before = first, last
            leave_until(first)
            self._begin(first, place)
            around.append((last, place))
        leave_until(last_address + 1)

    def number_of(self, packed: bytes) -> int:
        """The number of the place of an address, given as its octets."""
        index = bisect_right(self._starts, packed) - 1
        return self._numbers[index] if index >= 0 else _NOWHERE

    def _begin(self, number: int, place: int) -> None:
        self._starts.append(number)
        self._numbers.append(place)


class _Atlas:
    """What a file says, ready to be asked."""

    def __init__(self, rows: Iterable[tuple[Network, Place, int]]) -> None:
        numbers: dict[Place, int] = {}
        found: dict[int, list[tuple[int, int, int, int]]] = {4: [], 6: []}
        for network, place, line in rows:
            first, last = int(network.network_address), int(network.broadcast_address)
            found[network.version].append((first, last, numbers.setdefault(place, len(numbers)), line))
        self._places = tuple(numbers)
        self._stretches = {4: _Stretches(found[4], 4), 6: _Stretches(found[6], 16)}

    def of(self, address: Address) -> Place | None:
        """Where it is."""
        number = self._stretches[address.version].number_of(address.packed)
        return None if number == _NOWHERE else self._places[number]


def _rows(path: Path) -> Iterator[tuple[Network, Place, int]]:
    """The lines of the file. Raises SettingsRefused with the number of the one that cannot be read."""
    is_first = True
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(
                ("\n" if line.lstrip().startswith("#") else line for line in file), strict=True
            )
            for row in lines:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if not is_first or tuple(cells) != _COLUMNS:
                    yield *_read(cells, lines.line_num), lines.line_num
                is_first = False
    except (OSError, UnicodeDecodeError) as unreadable:
        msg = f"IDP_PLACES_FILE cannot be read: {type(unreadable).__name__}."
        raise SettingsRefused(msg) from None
    except csv.Error:
        raise _refused(lines.line_num, "it is no CSV") from None


def _read(cells: list[str], line: int) -> tuple[Network, Place]:
    if len(cells) != len(_COLUMNS):
        raise _refused(line, f"it has {len(cells)} columns, not {', '.join(_COLUMNS)}")
    written, name, *degrees = cells
    try:
        network = ipaddress.ip_network(written)
    except ValueError:
        raise _refused(
            line, f"{written[:60]!r} is no network, such as 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise _refused(line, f"a place has a name of at most {_LONGEST_NAME} printable characters")
    return network, Place(name, *(_degrees(*one, line) for one in zip(degrees, (90, 180), strict=True)))


def _degrees(written: str, most: int, line: int) -> float:
    try:
        found = float(written)
    except ValueError:
        found = math.nan
    if not -most <= found <= most:
        raise _refused(line, f"{written[:30]!r} is no number of degrees from -{most} to {most}")
    return found


def _refused(line: int, why: str) -> SettingsRefused:
    return SettingsRefused(f"IDP_PLACES_FILE, line {line}: {why}.")
