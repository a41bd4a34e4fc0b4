"""Answers no browser gives: rubbish, noise, other kinds of value, keys nobody can use (MISSION Y)."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import cbor2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event

from idp.accounts.factors import Passkey
from idp.proof.passkeys import Why
from tests.authenticator import EDDSA, ES256, RS256, AnAuthenticator
from tests.proof.ceremonies import ACCOUNT, a_ceremony, added, proved, spoiled, tried, why, with_field
from tests.world import World


def test_an_invented_challenge_is_an_expired_one(world: World) -> None:
    ceremony = a_ceremony(world)
    for invented in ("", "x", "x" * 100_000, "\0", "captcha", "../x"):
        assert why(partial(proved, world, invented, "{}")) is Why.EXPIRED, invented[:9]
        assert why(partial(ceremony.check_added, invented, "{}", ACCOUNT)) is Why.EXPIRED, invented[:9]


RUBBISH = {
    "nothing": "",
    "no JSON": "rubbish",
    "a number": "7",
    "not a number": "NaN",
    "null": "null",
    "a list": "[]",
    "a text": '"{}"',
    "a megabyte": json.dumps({"id": "x" * 1_000_000}),
    "a deep one": "[" * 9000 + "]" * 9000,
    "a long number": "1" * 15_000,
    "half a character": '"\ud800"',
}


def test_an_answer_that_is_no_object_is_unreadable(world: World) -> None:
    ceremony = a_ceremony(world)
    for name, answer in RUBBISH.items():
        assert why(partial(proved, world, ceremony.ask_to_prove().id, answer)) is Why.UNREADABLE, name
        asked = ceremony.ask_to_add(ACCOUNT, label="x", present=())
        assert why(partial(ceremony.check_added, asked.id, answer, ACCOUNT)) is Why.UNREADABLE, name


_WRONG_TYPES: list[Any] = [
    None,
    7,
    1e400,
    float("nan"),
    True,
    [],
    ["x"],
    {},
    {"x": []},
    "",
    "=",
    "\ud800",
    "\0",
    "Ω",
    "A" * 9000,
]


def test_a_field_of_another_kind_proves_nothing(world: World) -> None:
    key = AnAuthenticator()
    added(world, key)
    for wrong in _WRONG_TYPES:
        for name in ("id", "rawId", "type", "response"):
            assert spoiled(world, key, (name,), wrong) in {Why.WRONG, Why.UNKNOWN, Why.NOT_YOURS}, name
        for name in ("clientDataJSON", "authenticatorData", "signature"):
            assert spoiled(world, key, ("response", name), wrong) is Why.WRONG, name
        assert spoiled(world, key, ("response", "userHandle"), wrong) is Why.NOT_YOURS
    assert isinstance(tried(world, key), Passkey)


def test_a_field_of_another_kind_adds_nothing(world: World) -> None:
    ceremony, key = a_ceremony(world), AnAuthenticator()
    for wrong in _WRONG_TYPES:
        for path in (("id",), ("rawId",), ("type",), ("response",), ("response", "attestationObject")):
            asked = ceremony.ask_to_add(ACCOUNT, label="x", present=())
            answer = with_field(key.create(asked.options), path, wrong)
            assert why(partial(ceremony.check_added, asked.id, answer, ACCOUNT)) is Why.WRONG, path


@given(noise=st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_noise_in_place_of_what_an_authenticator_says_is_refused(world: World, noise: bytes) -> None:
    assert why(lambda: added(world, AnAuthenticator(), attestation=noise)) is Why.WRONG


HOSTILE_CBOR = {
    "a deep one": b"\x81" * 10_000 + b"\x00",
    "a list said to be long": b"\x9a\x0f\xff\xff\xff",
    "a text said to be long": b"\x5b\x00\x00\x00\x03\xff\xff\xff\xff",
    "no map": cbor2.dumps([1, 2]),
    "no data": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""}),
    "data that is no bytes": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": 7}),
}


def test_a_hostile_attestation_adds_nothing(world: World) -> None:
    for name, attestation in HOSTILE_CBOR.items():
        assert why(partial(added, world, AnAuthenticator(), attestation=attestation)) is Why.WRONG, name


KEYS: dict[str, dict[Any, Any]] = {
    "a point off the curve": {1: 2, 3: ES256, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32},
    "a short point": {1: 2, 3: ES256, -1: 1, -2: b"\1", -3: b"\2"},
    "a short Ed25519 key": {1: 1, 3: EDDSA, -1: 6, -2: b"\1" * 5},
    "an RSA key of 1": {1: 3, 3: RS256, -1: b"\1", -2: b"\3"},
    "no algorithm": {1: 2, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32},
    "an algorithm nobody offered": {1: 2, 3: -36, -1: 3, -2: b"\1" * 66, -3: b"\2" * 66},
    "HMAC": {1: 4, 3: 5, -1: b"secret"},
}


def test_a_key_that_nothing_can_be_checked_with_is_not_added(world: World) -> None:
    for name, cose in KEYS.items():
        assert why(partial(added, world, AnAuthenticator(), cose=cose)) is Why.WRONG, name


def test_a_credential_id_has_1_to_1023_bytes(world: World) -> None:
    key = AnAuthenticator()
    added(world, key, id=b"i" * 1023)
    assert isinstance(tried(world, key), Passkey)
    for length in (0, 1024, 4000):
        assert why(partial(added, world, AnAuthenticator(), id=b"i" * length)) is Why.WRONG


def test_one_removed_while_it_was_being_used_is_no_copy(world: World) -> None:
    added(world, key := AnAuthenticator())
    engine = world.backends.database.engine

    def remove(conn: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE passkeys"):
            conn.execute(delete(Passkey))

    event.listen(engine, "before_cursor_execute", remove)
    try:
        assert tried(world, key) is Why.UNKNOWN
    finally:
        event.remove(engine, "before_cursor_execute", remove)
