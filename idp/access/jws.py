"""Signed tokens that others made: client assertions, DPoP proofs, request objects.

They are measured before they are parsed and parsed before anything is looked up or computed, so
that nonsense is cheap to refuse. What the header says of keys (`jwk`, `jku`, `x5u`, `x5c`) leads
nowhere from here: the caller brings the keys, and the one algorithm he expects.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from idp.access.profiles import SIGNING_ALGS

_ED25519 = "Ed25519"
"""RFC 9864's name for the one EdDSA that counts here; some libraries send it already."""


_LARGEST = 2**53
"""Beyond it I-JSON (RFC 7493 §2.2) promises nobody the same number, and a clock or a sum may overflow."""


class Malformed(Exception):
    """This is no JWS of three parts that we read; the message tells what is wrong with it."""


def _eddsa() -> Any:
    """EdDSA on Ed25519 alone: FAPI 2.0 §5.4 calls it so, where joserfc warns that RFC 9864 renames it."""
    algorithm = copy(JWSRegistry.algorithms[_ED25519])
    algorithm.name = "EdDSA"
    return algorithm


ALGORITHMS: dict[str, Any] = {
    name: _eddsa() if name == "EdDSA" else JWSRegistry.algorithms[name] for name in SIGNING_ALGS
}
"""How each algorithm of ours signs and verifies (joserfc's models)."""


@dataclass(frozen=True, slots=True)
class UnverifiedJws:
    """What a token says; nothing of it is proved until :func:`is_signed_by` says so."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes

    @property
    def kid(self) -> str | None:
        """The name of a key: compared with names of keys we have, and used for nothing else."""
        found = self.header.get("kid")
        return found if isinstance(found, str) else None


def parse(supplied: str, *, longest: int) -> UnverifiedJws:
    """The parts of a compact JWS (RFC 7515 §3.1) of at most `longest` characters. Raises Malformed."""
    if len(supplied) > longest or not supplied.isascii():
        raise Malformed(f"longer than {longest} characters, or not ASCII")
    parts = supplied.split(".")
    if len(parts) != 3:
        raise Malformed("not three parts")
    header, claims = _object(parts[0]), _object(parts[1])
    # No extension is understood here, and one that must be understood is refused (RFC 7515 §4.1.11).
    if "crit" in header:
        raise Malformed("crit is not supported")
    if header.get("alg") == _ED25519:
        header["alg"] = "EdDSA"
    return UnverifiedJws(header, claims, f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]))


def is_signed_by(token: UnverifiedJws, keys: Iterable[Key], *, alg: str) -> bool:
    """Whether one of `keys` made the signature, with exactly `alg` (RFC 8725 §3.1)."""
    if token.header.get("alg") != alg or alg not in ALGORITHMS:
        return False
    return any(_verifies(ALGORITHMS[alg], token, key) for key in keys)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a claim is a NumericDate (RFC 7519 §2) that can be reckoned with: finite, and no giant."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _verifies(algorithm: Any, token: UnverifiedJws, key: Key) -> bool:
    try:
        # Another family's key, or one registered for another algorithm or use, is no key for this one.
        algorithm.check_key(key)
        return bool(algorithm.verify(token.signing_input, token.signature, key))
    except (JoseError, ValueError):
        return False


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part), object_pairs_hook=once_each, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Malformed("a part is not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("a part is not a JSON object")
    return found


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names stand once each, for :func:`json.loads`. Raises ValueError."""
    found = dict(pairs)
    # RFC 7515 §4, RFC 7519 §4: of two readers of a doubled name, one takes the first and one the last.
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _bytes(part: str) -> bytes:
    try:
        # Without padding, as RFC 7515 §2 has it.
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Malformed("a part is not base64url") from None
