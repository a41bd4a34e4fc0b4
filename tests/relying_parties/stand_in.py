"""A small OpenID Provider of another house, on a real port, that can be told to misbehave.

It knows one client, signs in whoever `signs_in_as` names without asking, and checks what a real one checks:
redirect address, PKCE, client secret, one use of a code. `faults` says where it goes wrong.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwk, jwt
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

CLIENT_ID = "social insurance:portal"
CLIENT_SECRET = "a secret with + and : in it"

Change = dict[str, Any]
"""What to put over an answer; None takes the entry out."""


@dataclass
class Faults:
    """Where the provider goes wrong."""

    metadata: Change = field(default_factory=dict)
    response: Change = field(default_factory=dict)
    tokens: Change = field(default_factory=dict)
    claims: Change = field(default_factory=dict)
    header: Change = field(default_factory=dict)
    userinfo: Change = field(default_factory=dict)
    keys: Any = None
    sign: Callable[[dict[str, Any]], str] | None = None
    status: dict[str, int] = field(default_factory=dict)


class StandIn:
    """The provider, its keys and its memory."""

    def __init__(self) -> None:
        self.rsa = jwk.generate_key("RSA", 2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"})
        self.ec = jwk.generate_key("EC", "P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
        self.plain = jwk.generate_key("RSA", 2048, {"kid": "rsa-2"})
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True, request_handler=_Quiet)
        self.issuer = f"http://127.0.0.1:{self._server.port}"
        self.reset()

    def reset(self) -> None:
        """Forget everything and behave."""
        self.faults = Faults()
        self.signs_in_as: dict[str, Any] = {}
        self.alg = "RS256"
        self.asked: list[str] = []
        self.signed_out: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, Any]] = {}
        self._access: dict[str, dict[str, Any]] = {}

    def start(self) -> BaseWSGIServer:
        """Answer from a thread of its own, until the server returned here is shut down."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server

    def published_keys(self) -> list[dict[str, Any]]:
        """The public keys, one of a kind no portal here can use among them."""
        keys = [dict(key.as_dict(private=False)) for key in (self.rsa, self.ec, self.plain)]
        return [
            *keys,
            {"kty": "OKP", "crv": "Ed448", "kid": "odd", "x": "AA"},
            {"kty": "RSA", "kid": "broken"},
        ]

    def signed(self, claims: dict[str, Any]) -> str:
        """`claims` as a token, signed as the faults have it."""
        if self.faults.sign is not None:
            return self.faults.sign(claims)
        key = self.ec if self.alg == "ES256" else self.rsa
        return jwt.encode(_changed({"alg": self.alg, "kid": key.kid}, self.faults.header), claims, key)

    def _app(self) -> Flask:
        app = Flask("stand-in")
        app.before_request(self._note)
        app.get("/.well-known/openid-configuration")(self._discovery)
        app.get("/keys")(self._keys)
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/userinfo")(self._userinfo)
        app.get("/logout")(self._logout)
        return app

    def _note(self) -> ResponseReturnValue | None:
        self.asked.append(request.path)
        status = self.faults.status.get(request.path)
        return None if status is None else (jsonify(error="server_error"), status)

    def _discovery(self) -> ResponseReturnValue:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
        }
        return jsonify(_changed(document, self.faults.metadata))

    def _keys(self) -> ResponseReturnValue:
        return jsonify(keys=self.published_keys() if self.faults.keys is None else self.faults.keys)

    def _authorize(self) -> ResponseReturnValue:
        query = request.args.to_dict()
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return redirect(query["redirect_uri"] + "?" + urlencode(_changed(answer, self.faults.response)))

    def _token(self) -> ResponseReturnValue:
        asked = self._codes.pop(request.form["code"], None)
        if asked is None or not self._is_entitled(asked):
            return jsonify(error="invalid_grant"), 400
        access_token = secrets.token_urlsafe(16)
        self._access[access_token] = asked
        tokens = {"access_token": access_token, "token_type": "Bearer", "expires_in": 600}
        tokens["id_token"] = self.signed(self._claims(asked, access_token))
        return jsonify(_changed(tokens, self.faults.tokens))

    def _is_entitled(self, asked: dict[str, Any]) -> bool:
        given = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        proof = _b64(hashlib.sha256(request.form["code_verifier"].encode()).digest())
        return (
            given == "social%20insurance%3Aportal:a%20secret%20with%20%2B%20and%20%3A%20in%20it"
            and proof == asked["code_challenge"]
            and request.form["redirect_uri"] == asked["redirect_uri"]
        )

    def _claims(self, asked: dict[str, Any], access_token: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "nonce": asked["nonce"],
            "acr": "urn:idp:loa:1",
            "at_hash": half_hash(access_token),
            "sub": self.signs_in_as["sub"],
            "role": self.signs_in_as["role"],
        }
        if "entity" in self.signs_in_as:
            claims["entity"] = self.signs_in_as["entity"]
        return _changed(claims, self.faults.claims)

    def _userinfo(self) -> ResponseReturnValue:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        assert token in self._access
        return jsonify(_changed(self.signs_in_as, self.faults.userinfo))

    def _logout(self) -> ResponseReturnValue:
        query = request.args.to_dict()
        jwt.decode(query["id_token_hint"], self.rsa, algorithms=["RS256"])
        self.signed_out.append(query)
        return redirect(query["post_logout_redirect_uri"] + "?" + urlencode({"state": query["state"]}))


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_answer: int | str) -> None:
        """Say nothing."""


def half_hash(access_token: str) -> str:
    """`at_hash` for RS256 and ES256 (OpenID Connect Core §3.1.3.6)."""
    return _b64(hashlib.sha256(access_token.encode()).digest()[:16])


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes = b"") -> str:
    """A compact token put together by hand: HS256 with `key`, or without a signature."""
    parts = [_b64(json.dumps(part).encode()) for part in (header, claims)]
    signature = hmac.new(key, ".".join(parts).encode(), hashlib.sha256).digest() if key else b""
    return ".".join([*parts, _b64(signature)])


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def parameters(url: str) -> dict[str, str]:
    """The query of `url`, each name once."""
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def _changed(answer: dict[str, Any], change: Change) -> dict[str, Any]:
    return {name: value for name, value in (answer | change).items() if value is not None}
