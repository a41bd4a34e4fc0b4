"""The code a device shows and a person types (RFC 8628 §6.1), and how often one may guess at it.

Eight letters of twenty, no vowel among them so that no word comes out: 34.6 bits. That is little for a
secret, so the tries are few (§5.1): counted before anything is compared, in the ephemeral store, by
browser, by neighbourhood, and over all that are not signed in. With a thousand codes waiting at once,
`OVERALL` tries hit one of them in a window with a chance of about 1 : 8,500.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import keyed_digest
from idp.proof.throttle import Throttled, Try

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
WINDOW = 600
"""Seconds in which tries are counted together: the life of a code."""
A_BROWSER = 5
AN_ADDRESS = 60
A_PERSON = 20
OVERALL = 3000
_LONGEST_TYPED = 64


class TooManyStrangers(Throttled):
    """So many wrong codes altogether that only those who are signed in may go on."""


def new_user_code() -> str:
    """An unguessable code, without its dash."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """The code as people read it: XXXX-XXXX."""
    return f"{code[:4]}-{code[4:]}"


def parse_user_code(typed: str) -> str | None:
    """The code somebody typed, whatever the keyboard: small letters, full-width ones, spaces, dashes.

    None for what cannot be a code of ours.
    """
    letters = [
        letter
        for letter in unicodedata.normalize("NFKC", typed[:_LONGEST_TYPED]).upper()
        if unicodedata.category(letter)[0] in "LN"
    ]
    fits = len(letters) == LENGTH and set(letters) <= set(ALPHABET)
    return "".join(letters) if fits else None


def count_try(store: EphemeralStore, *, browser: str, address: str, person: str | None) -> None:
    """Count one try, and return if what was typed may be compared.

    Those who are signed in are counted each, all others together: whoever guesses from a thousand
    addresses makes strangers wait, and nobody who signs in first. Raises Throttled.
    """
    place = Try(account="", known_browser=None, address=address).neighbourhood
    # The narrow ones first: a caller they stop does not use up what is everybody's.
    _count(store, _browser(browser), A_BROWSER, Throttled)
    _count(store, f"address:{place}", AN_ADDRESS, Throttled)
    if person:
        _count(store, f"person:{person}", A_PERSON, Throttled)
    else:
        _count(store, "strangers", OVERALL, TooManyStrangers)


def forgive(store: EphemeralStore, *, browser: str) -> None:
    """A right code gives the browser its tries back; nobody is bound to a browser who guesses."""
    store.delete(_counted_at(_browser(browser)))


def _count(store: EphemeralStore, bucket: str, most: int, refusal: type[Throttled]) -> None:
    key = _counted_at(bucket)
    if store.increment(key, ttl=WINDOW) > most:
        raise refusal(timedelta(seconds=max(1.0, store.remaining(key))))


def _counted_at(bucket: str) -> str:
    return f"user-code-tries:{bucket}"


def _browser(browser: str) -> str:
    return f"browser:{keyed_digest(b'user-code', browser)}"
