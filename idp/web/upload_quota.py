"""What a browser and an address send in an hour, in octets, whatever becomes of it.

An address is counted as its bodies arrive, whoever sends them and under whatever names: nobody needs an
appeal for that. A browser is counted file by file, once its form has been let in. Who has spent his hour may
still send words and press buttons: his files alone are refused, and none of them is kept on the way.
"""

from __future__ import annotations

from typing import Final

from idp.adapters.ephemeral import EphemeralStore
from idp.proof.throttle import Place

_HOUR: Final = 3600
_MEBI: Final = 1024 * 1024
_STEP: Final = _MEBI
_TRIES: Final = 8


class Tally:
    """The hour of one address, which grows by what arrives of one body; `most_mb` is in mebibytes.

    Each of the address's places has an hour (:func:`idp.proof.throttle.places`).
    """

    def __init__(self, store: EphemeralStore, caller: tuple[Place, ...], most_mb: int) -> None:
        self._store = store
        self._hours = [(f"uploads:address:{place.name}", most_mb * place.times) for place in caller]
        self._waiting = 0
        self.is_spent = False

    def arrived(self, octets: int) -> None:
        """So much came; it is written down by the mebibyte."""
        self._waiting += octets
        if self._waiting >= _STEP:
            self.settle()

    def settle(self) -> None:
        """Write down what came since."""
        waiting, self._waiting = self._waiting, 0
        for key, most in self._hours if waiting else ():
            if is_too_much(self._store, key, waiting, most):
                self.is_spent = True


def browser_is_spent(store: EphemeralStore, browser: str, octets: int, most_mb: int) -> bool:
    """Count a file of so many octets for this browser; whether its hour has no room for it."""
    return is_too_much(store, f"uploads:browser:{browser}", octets, most_mb)


def is_too_much(store: EphemeralStore, key: str, octets: int, most_mb: int) -> bool:
    """Add to the sum of `key`, whose hour counts from its birth; whether that is more than there may be."""
    for _ in range(_TRIES):
        before = store.get(key)
        if before is None:
            if store.put_if_absent(key, b"%d" % octets, ttl=_HOUR):
                return octets > most_mb * _MEBI
            continue
        together = int(before) + octets
        if store.compare_and_set(key, before, b"%d" % together, ttl=max(1.0, store.remaining(key))):
            return together > most_mb * _MEBI
    # So many at once from one place that none gets his turn: that is a flood, too.
    return True
