"""The public keys a relying party signs with, as it registered them.

Only these keys are ever tried: nothing that a token says of itself (`jwk`, `jku`, `x5u`, `x5c`)
leads anywhere. What stands behind a registered `jwks_uri` is fetched, kept in the process, and
fetched again when it is old or a name of a key is new, but never often.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from idp.access.clients import ClientRefused, RegisteredClient
from idp.adapters.key_sets import NotFetched
from idp.crypto import from_b64url

LONGEST_JWKS = 32_000
MOST_KEYS = 20
_LONGEST_TOLD = 200
SMALLEST_RSA, LARGEST_RSA = 2048, 8192
_FRESH = timedelta(minutes=5)
_BETWEEN_TRIES = timedelta(minutes=1)
_OLDEST = timedelta(hours=1)
_FETCHING_AT_ONCE = 2
_LONGEST_WAIT = 3.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_KINDS = ("RSA", "EC", "OKP")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def check_jwks(jwks: dict[str, Any]) -> None:
    """Return if a key set may be registered: public halves of keys we verify with, RSA from 2048 bits.

    Raises ClientRefused.
    """
    if not isinstance(jwks.get("keys"), list) or _size(jwks) > LONGEST_JWKS:
        raise _refused(
            "jwks must be a JSON Web Key Set of at most 32 kB, without half of a surrogate pair.",
            "公钥应为一个 JWKS（含 keys 列表的 JSON），不超过 32 kB，其中没有不能显示的字符。",
        )
    if not 1 <= len(jwks["keys"]) <= MOST_KEYS:
        raise _refused(f"jwks must hold 1 to {MOST_KEYS} keys.", f"JWKS 中应有 1 至 {MOST_KEYS} 把公钥。")
    for jwk in jwks["keys"]:
        if isinstance(jwk, dict) and jwk.get("d"):
            raise _refused(
                "jwks must hold public keys only: a private key was sent, so replace it.",
                "JWKS 中有私钥。私钥已经泄露到这里，请让接入方换一对新的，只提交公钥。",
            )
    if len(usable_keys(jwks)) != len(jwks["keys"]):
        raise _refused(
            "jwks holds a key that is not RSA from 2048 bits, P-256 or Ed25519.",
            "JWKS 中有不支持的公钥。请使用 2048 位以上的 RSA、P-256 或 Ed25519。",
        )


def _size(jwks: dict[str, Any]) -> int:
    """Bytes; of what UTF-8 cannot hold (RFC 8259 §8.2), and no page could show, too many."""
    try:
        return len(json.dumps(jwks, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return LONGEST_JWKS + 1


def _refused(sentence: str, zh: str) -> ClientRefused:
    return ClientRefused(sentence, zh=zh, field="jwks")


def usable_keys(jwks: dict[str, Any]) -> list[Key]:
    """The keys of a set that we verify with; what else stands there is passed over (RFC 7517 §5)."""
    found = []
    for jwk in jwks.get("keys", []):
        key = public_key(jwk)
        if key is not None:
            found.append(key)
    return found


def key_names(jwks: dict[str, Any]) -> list[str]:
    """Each usable key by its thumbprint (RFC 7638), its name and what it is for: what the trail is told."""
    found = [(jwk, public_key(jwk)) for jwk in jwks.get("keys", [])]
    return [" ".join([key.thumbprint(), *_called(jwk)]) for jwk, key in found if key]


def _called(jwk: dict[str, Any]) -> list[str]:
    # As JSON: sets that were registered before may hold what UTF-8 cannot.
    told = [f"{name}={json.dumps(jwk[name])}" for name in ("kid", "use", "key_ops", "alg") if name in jwk]
    return [each if len(each) <= _LONGEST_TOLD else f"{each[:_LONGEST_TOLD]}…" for each in told]


def public_key(jwk: Any) -> Key | None:
    """The key in `jwk` if it is one we verify with: RSA of 2048 to 8192 bits, P-256 or Ed25519."""
    if not isinstance(jwk, dict) or jwk.get("kty") not in _KINDS or _PRIVATE & jwk.keys():
        return None
    if jwk["kty"] == "RSA" and not _fits(str(jwk.get("n"))):
        return None
    # RFC 9864's name for what we call EdDSA, as everywhere (see ``jws``).
    renamed = {**jwk, "alg": "EdDSA"} if jwk.get("alg") == "Ed25519" else jwk
    try:
        key = KeySet.import_key_set({"keys": [renamed]}).keys[0]
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if _is_usable(key) else None


def _fits(modulus: str) -> bool:
    # Before it is imported: the library warns of a small key, and a huge one makes verifying dear.
    try:
        octets = from_b64url(modulus)
    except ValueError:
        return False
    return SMALLEST_RSA <= int.from_bytes(octets, "big").bit_length() <= LARGEST_RSA


def _is_usable(key: Key) -> bool:
    if key.get("use", "sig") != "sig":
        return False
    if isinstance(key, ECKey):
        return key.curve_name == "P-256"
    return isinstance(key, RSAKey) or (isinstance(key, OKPKey) and key.curve_name == "Ed25519")


@dataclass(slots=True)
class _KeySet:
    """What a process knows of one client's keys; `source` is the registration it was read by."""

    source: dict[str, Any] | str
    keys: list[Key] = field(default_factory=list)
    fetched_at: datetime = _LONG_AGO
    tried_at: datetime = _LONG_AGO
    turn: threading.Lock = field(default_factory=threading.Lock)

    def lacks(self, kid: str | None, *, now: datetime) -> bool:
        """Whether it should be fetched: it is old, or has no key of this name."""
        if now - self.tried_at < _BETWEEN_TRIES:
            return False
        unknown = kid is not None and all(key.kid != kid for key in self.keys)
        return unknown or now - self.fetched_at >= _FRESH


class ClientKeys:
    """The keys of clients that a process knows. `fetch` gets what a `jwks_uri` holds, or raises NotFetched.

    Few threads at once fetch, or wait for one that does: the others make do with what is known, so
    that no slow server of a client can hold this one up.
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._known: dict[str, _KeySet] = {}
        self._places = threading.BoundedSemaphore(_FETCHING_AT_ONCE)

    def named(self, client: RegisteredClient, kid: str | None, *, now: datetime) -> list[Key]:
        """The client's keys called `kid`; without a name all of them."""
        known = self._known_of(client)
        if isinstance(known.source, str) and known.lacks(kid, now=now):
            self._refresh(known, known.source, kid, now=now)
        if isinstance(known.source, str) and now - known.fetched_at >= _OLDEST:
            return []
        return [key for key in known.keys if kid in {None, key.kid}]

    def _known_of(self, client: RegisteredClient) -> _KeySet:
        source = client.jwks or client.jwks_uri or {}
        known = self._known.get(client.client_id)
        if known is None or known.source != source:
            known = _KeySet(source, usable_keys(source) if isinstance(source, dict) else [])
            self._known[client.client_id] = known
        return known

    def _refresh(self, known: _KeySet, address: str, kid: str | None, *, now: datetime) -> None:
        if not self._places.acquire(blocking=False):
            return
        try:
            if known.turn.acquire(timeout=_LONGEST_WAIT):
                try:
                    self._fetch_into(known, address, kid, now=now)
                finally:
                    known.turn.release()
        finally:
            self._places.release()

    def _fetch_into(self, known: _KeySet, address: str, kid: str | None, *, now: datetime) -> None:
        # Somebody else may have fetched while we waited for our turn.
        if not known.lacks(kid, now=now):
            return
        try:
            known.keys, known.fetched_at = _read(self._fetch(address)), now
        except NotFetched:
            # What was there before is good for a while longer.
            return
        finally:
            known.tried_at = now


def _read(body: bytes) -> list[Key]:
    """The usable keys of a fetched set. Raises NotFetched when it is none."""
    try:
        jwks = json.loads(body)
    except (ValueError, RecursionError):
        raise NotFetched("not JSON") from None
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise NotFetched("not a JSON Web Key Set")
    return usable_keys({"keys": jwks["keys"][:MOST_KEYS]})
