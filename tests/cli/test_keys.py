"""`idp key`: what an administrator sees of the signing keys, and how he rotates and removes them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from idp.access.keys import ALGORITHMS
from idp.accounts.audit import AuditEvent
from tests.cli.conftest import Command
from tests.keys import aged, attentive, kid_of, ring, stored
from tests.oauth.asking import a_signed_in_person, tokens_for
from tests.portals import get_with
from tests.services import free_port
from tests.world import World


def test_the_list_tells_where_each_key_is_in_its_life(idp: Command, world: World) -> None:
    aged(world)
    idp.does("key", "rotate", "--alg", "PS256")
    idp.does("key", "rotate", "--emergency", "--alg", "ES256")
    keys = idp.does("key", "list")
    assert [key["created_at"] for key in keys] == sorted(key["created_at"] for key in keys)
    assert {(key["alg"], key["state"]) for key in keys} == {
        *((alg, state) for alg in ALGORITHMS for state in ("active", "next")),
        ("PS256", "retired"),
        ("ES256", "removed"),
    }
    for key in keys:
        set_ = {name for name in ("activated_at", "retired_at", "remove_after", "removed_at") if key[name]}
        assert (
            set_
            == {
                "next": set(),
                "active": {"activated_at"},
                "retired": {"activated_at", "retired_at", "remove_after"},
                "removed": {"activated_at", "retired_at", "removed_at"},
            }[key["state"]]
        )
    lines = idp("key", "list").out.splitlines()
    assert len(lines) == 1 + len(keys)
    assert all(key["kid"] in line for key, line in zip(keys, lines[1:], strict=True))
    assert '"d"' not in json.dumps(keys)


def test_a_rotation_rotates_all_algorithms_or_the_one_named(idp: Command, world: World) -> None:
    aged(world)
    (one,) = idp.does("key", "rotate", "--alg", "EdDSA")
    assert (one["alg"], one["active"]) == ("EdDSA", kid_of(world, "EdDSA", "active"))
    aged(world)
    told = idp.does("key", "rotate")
    assert [change["alg"] for change in told] == list(ALGORITHMS)
    for change in told:
        assert change["active"] == kid_of(world, change["alg"], "active")
        assert change["next"] == kid_of(world, change["alg"], "next")
        assert change["remove_after"]
    aged(world)
    said = idp("key", "rotate", "--alg", "ES256")
    assert said.code == 0
    assert f"{kid_of(world, 'ES256', 'active')} signs now" in said.out


def test_a_rotation_inside_the_window_says_how_long_to_wait_and_changes_nothing(
    idp: Command, world: World
) -> None:
    aged(world)
    idp.does("key", "rotate", "--alg", "EdDSA")
    before = ring(world).jwks
    for arguments in (("--alg", "EdDSA"), ()):
        sentence = idp.refuses("key", "rotate", *arguments)
        assert "EdDSA" in sentence
        assert "Wait another 4" in sentence
        assert ring(world).jwks == before, "of several all or none are rotated"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--alg", "HS256"), "choose from RS256, PS256, ES256, EdDSA"),
        (("--alg", "rs256"), "choose from"),
        (("--kid", "x"), "--emergency"),
        (("--emergency",), "--kid"),
        (("--emergency", "--alg", "ES256", "--kid", "x"), "one key"),
        (("--emergency", "--kid", "nonsense"), "There is no key 'nonsense'"),
        (("--emergency", "--kid", "a\x00b"), "There is no key"),
    ],
    ids=str,
)
def test_wrong_input_changes_nothing(
    idp: Command, world: World, arguments: tuple[str, ...], sentence: str
) -> None:
    before = ring(world).jwks
    assert sentence in idp.refuses("key", "rotate", *arguments)
    assert ring(world).jwks == before


def test_a_leaked_key_is_gone_at_once_and_what_breaks_is_said(idp: Command, world: World) -> None:
    attentive(world)
    token = tokens_for(a_signed_in_person(world), world.a_client())["access_token"]
    leaked = kid_of(world, "ES256", "active")
    said = idp("key", "rotate", "--emergency", "--alg", "ES256")
    assert said.code == 0
    for told in (f"{leaked} is removed", "What this breaks", "Access tokens", "ID tokens", "Relying parties"):
        assert told in said.out, told
    assert get_with(world, token).status_code == 401
    again = idp.does("key", "rotate", "--emergency", "--kid", leaked)
    assert again == {"removed": leaked, "already": True}


def test_any_key_can_be_named_as_the_leaked_one(idp: Command, world: World) -> None:
    upcoming, active = kid_of(world, "RS256", "next"), kid_of(world, "RS256", "active")
    told = idp.does("key", "rotate", "--emergency", "--kid", upcoming)
    assert (told["removed"], told["active"], told["retired"]) == (upcoming, active, None)
    told = idp.does("key", "rotate", "--emergency", "--kid", active)
    assert told["active"] == kid_of(world, "RS256", "active")
    assert not any("Access tokens" in sentence for sentence in told["breaks"])


def test_each_change_of_keys_stands_in_the_audit_trail(idp: Command, world: World) -> None:
    aged(world)
    (rotated,) = idp.does("key", "rotate", "--alg", "ES256")
    removed = idp.does("key", "rotate", "--emergency", "--alg", "RS256")
    with world.reading() as db:
        rows = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    told = [(row.action, row.actor, row.target) for row in rows]
    actor = told[0][1]
    assert actor.startswith("cli:")
    assert told == [
        ("key_rotated", actor, f"key:{rotated['retired']}"),
        ("key_withdrawn", actor, f"key:{removed['removed']}"),
    ]
    assert idp.does("audit", "verify")["whole"]


def test_a_change_that_could_not_be_announced_is_kept_and_said(embedded: Command) -> None:
    answer = embedded(
        *("key", "rotate", "--emergency", "--alg", "ES256"),
        IDP_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    assert answer.code == 1
    assert "Saved" in answer.err
    assert "removed" in {key["state"] for key in embedded.does("key", "list")}


def test_another_installations_data_keys_seal_no_key_into_this_one(idp: Command, world: World) -> None:
    aged(world)
    before = [key.kid for key in stored(world)]
    other = "1:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
    for arguments in ((), ("--emergency", "--alg", "ES256")):
        assert "IDP_DATA_KEYS" in idp.refuses("key", "rotate", *arguments, IDP_DATA_KEYS=other)
    assert "IDP_DATA_KEYS" in idp.refuses("db", "upgrade", IDP_DATA_KEYS=other)
    assert [key.kid for key in stored(world)] == before
