"""What the tests of passkeys arrange: ceremonies as a page runs them, and what came of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from idp.accounts import factors
from idp.accounts.factors import Passkey
from idp.proof.passkeys import Ceremony, PasskeyRefused, Why
from tests.authenticator import AnAuthenticator
from tests.world import World

ACCOUNT, OTHER = "person:00000000-0000-0000-0000-000000000001", "mandate:00000000-0000-0000-0000-000000000002"


def a_ceremony(world: World, browser: str = "a browser") -> Ceremony:
    platform = world.platform
    return Ceremony(platform.store, world.settings, platform.vault, browser)


def added(world: World, key: AnAuthenticator, account: str = ACCOUNT, **bent: Any) -> Passkey:
    """A passkey of the account on `key`."""
    ceremony = a_ceremony(world)
    asked = ceremony.ask_to_add(account, label="林小满", present=())
    verified = ceremony.check_added(asked.id, key.create(asked.options, **bent), account)
    with world.write() as db:
        return factors.add_passkey(db, account=account, name="钥匙", now=world.now(), **verified)


def proved(
    world: World, asked_id: str, answer: str, account: str = "", *, browser: str = "a browser"
) -> Passkey:
    """The passkey that answered, its counter written."""
    with world.write() as db:
        return a_ceremony(world, browser).check_proof(db, asked_id, answer, account, now=world.now())


def tried(world: World, key: AnAuthenticator, **bent: Any) -> Passkey | Why:
    """What came of signing in with `key`."""
    asked = a_ceremony(world).ask_to_prove()
    try:
        return proved(world, asked.id, key.get(asked.options, **bent))
    except PasskeyRefused as refused:
        return refused.why


def why(act: Callable[[], object]) -> Why:
    """Why it was refused."""
    with pytest.raises(PasskeyRefused) as caught:
        act()
    assert str(caught.value) == caught.value.why.value
    return caught.value.why


def spoiled(world: World, key: AnAuthenticator, path: tuple[str, ...], value: Any) -> Why | Passkey:
    asked = a_ceremony(world).ask_to_prove()
    try:
        return proved(world, asked.id, with_field(key.get(asked.options), path, value))
    except PasskeyRefused as refused:
        return refused.why


def with_field(answer: str, path: tuple[str, ...], value: Any) -> str:
    told = json.loads(answer)
    where = told
    for name in path[:-1]:
        where = where[name]
    where[path[-1]] = value
    return json.dumps(told)
