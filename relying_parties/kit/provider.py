"""The provider as seen over HTTP: discovery, signing keys, tokens, userinfo.

Discovery is lazy, so that a portal starts before its provider; what was found is kept and asked for again
after a while, and an old answer is better than none while the provider is away. Two threads may ask at
once: both get the same answer, so nothing is locked. Neither the client secret nor a token is ever
logged.
"""

import base64
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
from joserfc import jwk
from joserfc.errors import JoseError

log = logging.getLogger(__name__)

TIMEOUT: Final = httpx2.Timeout(5, connect=2)
METADATA_LIFE: Final = timedelta(hours=1)
KEYS_LIFE: Final = timedelta(minutes=10)
KEYS_PAUSE: Final = timedelta(minutes=1)
"""How long an unknown key id does not make the keys be asked for again."""

_ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "end_session_endpoint",
)
_OK = 200
_BAD_REQUEST = 400
_Value = TypeVar("_Value")


class ProviderUnavailable(Exception):
    """The provider does not answer, or not usably; the message is for the portal's log."""


class AnswerRefused(Exception):
    """An answer that cannot be trusted; the message names the failed check, for the portal's log."""


@dataclass(frozen=True)
class Metadata:
    """The addresses of discovery (OpenID Connect Discovery 1.0 §3)."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave for a code."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)


@dataclass(frozen=True)
class _Known(Generic[_Value]):
    value: _Value
    since: datetime


class Provider:
    """One provider, seen with the credentials of one client."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        self.issuer = issuer
        self._authorization = _basic(client_id, client_secret)
        # The environment is read in one place only, so no proxy is taken from it here.
        self._http = httpx2.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)
        self._metadata: _Known[Metadata] | None = None
        self._keys: _Known[dict[str, jwk.Key]] | None = None

    def metadata(self, now: datetime) -> Metadata:
        """Where the provider's endpoints are. Raises ProviderUnavailable."""
        known = self._metadata
        if known is not None and now - known.since < METADATA_LIFE:
            return known.value
        try:
            found = self._discover()
        except ProviderUnavailable:
            if known is None:
                raise
            log.warning("discovery failed; going on with what is known")
            found = known.value
        self._metadata = _Known(found, now)
        return found

    def key(self, kid: str, now: datetime) -> jwk.Key:
        """The signing key `kid`; an unknown one makes the keys be read again, at most once a minute.

        Raises AnswerRefused if there is no such key, ProviderUnavailable if the keys cannot be read.
        """
        known = self._keys
        if known is None or now - known.since >= KEYS_LIFE:
            known = self._read_keys(now)
        if kid not in known.value and now - known.since >= KEYS_PAUSE:
            known = self._read_keys(now)
        key = known.value.get(kid)
        if key is None:
            raise AnswerRefused("signed by a key the provider does not publish")
        return key

    def redeem(self, code: str, verifier: str, redirect_uri: str, now: datetime) -> Tokens:
        """The tokens for `code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

        Raises AnswerRefused, ProviderUnavailable.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        answer = self._ask("POST", self.metadata(now).token_endpoint, self._authorization, form)
        if answer.status_code == _BAD_REQUEST:
            raise AnswerRefused("the provider refused the code")
        tokens = _object(answer)
        access_token, id_token = tokens.get("access_token"), tokens.get("id_token")
        if not isinstance(access_token, str) or not isinstance(id_token, str):
            raise AnswerRefused("the token answer lacks a token")
        if str(tokens.get("token_type")).lower() != "bearer":
            raise AnswerRefused("the access token is of an unknown type")
        return Tokens(access_token, id_token)

    def userinfo(self, access_token: str, now: datetime) -> dict[str, Any]:
        """The claims userinfo gives for `access_token`. Raises ProviderUnavailable."""
        return _object(self._ask("GET", self.metadata(now).userinfo_endpoint, f"Bearer {access_token}"))

    def close(self) -> None:
        """Close the connections to the provider."""
        self._http.close()

    def _discover(self) -> Metadata:
        document = _object(self._ask("GET", self.issuer + "/.well-known/openid-configuration"))
        if document.get("issuer") != self.issuer:
            raise ProviderUnavailable("discovery names another issuer (OpenID Connect Discovery 4.3)")
        for name in _ENDPOINTS:
            self._check_address(name, document.get(name))
        return Metadata(**{name: document[name] for name in _ENDPOINTS})

    def _check_address(self, name: str, address: object) -> None:
        scheme = urlsplit(address).scheme if isinstance(address, str) else ""
        if scheme not in {"https", urlsplit(self.issuer).scheme}:
            raise ProviderUnavailable(f"discovery gives no usable {name}")

    def _read_keys(self, now: datetime) -> _Known[dict[str, jwk.Key]]:
        known = self._keys
        try:
            keys = self._published_keys(now)
        except ProviderUnavailable:
            if known is None:
                raise
            log.warning("the provider's keys cannot be read; going on with those known")
            keys = known.value
        self._keys = _Known(keys, now)
        return self._keys

    def _published_keys(self, now: datetime) -> dict[str, jwk.Key]:
        listed = _object(self._ask("GET", self.metadata(now).jwks_uri)).get("keys")
        if not isinstance(listed, list):
            raise ProviderUnavailable("the key set is malformed")
        keys = {}
        for entry in listed:
            # No shared secrets; joserfc holds a key to the `use` and `alg` it is published for.
            if not isinstance(entry, dict) or entry.get("kty") not in {"RSA", "EC"}:
                continue
            try:
                keys[str(entry.get("kid"))] = jwk.import_key(entry)
            except (JoseError, ValueError, TypeError, KeyError):
                log.warning("the provider publishes a key that cannot be read")
        return keys

    def _ask(
        self, method: str, address: str, authorization: str = "", form: dict[str, str] | None = None
    ) -> httpx2.Response:
        headers = {"Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        try:
            return self._http.request(method, address, headers=headers, data=form)
        except (httpx2.HTTPError, httpx2.InvalidURL) as failed:
            raise ProviderUnavailable(f"{urlsplit(address).path}: {type(failed).__name__}") from None


def _basic(client_id: str, client_secret: str) -> str:
    # RFC 6749 §2.3.1: both are form-encoded before they are joined.
    joined = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
    return "Basic " + base64.b64encode(joined.encode()).decode()


def _object(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code != _OK:
        raise ProviderUnavailable(f"{answer.url.path}: status {answer.status_code}")
    try:
        value = answer.json()
    except ValueError:
        raise ProviderUnavailable(f"{answer.url.path}: not JSON") from None
    if not isinstance(value, dict):
        raise ProviderUnavailable(f"{answer.url.path}: not a JSON object")
    return value
