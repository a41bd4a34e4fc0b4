"""What an account has beside its password (MISSION Y)."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import event, select

from idp.accounts import factors
from idp.accounts.factors import Factor, Kind, TotpSecret
from idp.proof import recovery_codes
from tests.world import World

ACCOUNT, OTHER = "person:00000000-0000-0000-0000-000000000001", "mandate:00000000-0000-0000-0000-000000000002"


def a_passkey(world: World, account: str = ACCOUNT, *, credential_id: bytes = b"id") -> factors.Passkey:
    with world.write() as db:
        return factors.add_passkey(
            db,
            account=account,
            name="钥匙",
            now=world.now(),
            credential_id=credential_id,
            public_key=b"key",
            sign_count=0,
            transports=["internal"],
            backed_up=True,
        )


def held(world: World, account: str = ACCOUNT) -> list[Factor]:
    with world.reading() as db:
        return factors.list_factors(db, account)


def test_an_account_has_its_own_factors_the_oldest_first(world: World) -> None:
    world.a_totp(ACCOUNT, name="手机")
    a_passkey(world)
    world.a_totp(ACCOUNT, name="平板")
    world.a_totp(OTHER, name="别人的")
    assert [(one.kind, one.name) for one in held(world)] == [
        (Kind.TOTP, "手机"),
        (Kind.PASSKEY, "钥匙"),
        (Kind.TOTP, "平板"),
    ]
    assert [one.name for one in held(world, OTHER)] == ["别人的"]


def test_which_kinds_an_account_has_is_one_look_up(world: World) -> None:
    world.a_totp(ACCOUNT)
    a_passkey(world, OTHER)
    asked: list[str] = []
    with world.reading() as db:
        engine = world.backends.database.engine
        event.listen(engine, "before_cursor_execute", note := lambda *told: asked.append(told[2]))
        try:
            kinds = [factors.kinds_of(db, account) for account in (ACCOUNT, OTHER, "person:nobody")]
        finally:
            event.remove(engine, "before_cursor_execute", note)
    assert kinds == [{Kind.TOTP}, {Kind.PASSKEY}, set()]
    assert len(asked) == 3


def test_a_secret_is_sealed_into_its_own_row(world: World) -> None:
    first, second = world.a_totp(ACCOUNT), world.a_totp(OTHER)
    with world.reading() as db:
        rows = db.scalars(select(TotpSecret).order_by(TotpSecret.id)).all()
        assert [row.secret(world.backends.vault) for row in rows] == [first, second]
        assert all(secret.encode() not in row.secret_sealed for secret in (first, second) for row in rows)


def test_a_recovery_code_is_no_factor(world: World) -> None:
    with world.write() as db:
        recovery_codes.renew(db, world.backends.vault, ACCOUNT, now=world.now())
        assert factors.kinds_of(db, ACCOUNT) == frozenset()
    assert held(world) == []


def test_taking_everything_away_leaves_other_accounts_alone(world: World) -> None:
    world.a_totp(ACCOUNT)
    a_passkey(world)
    world.a_totp(OTHER)
    with world.write() as db:
        for account in (ACCOUNT, OTHER):
            recovery_codes.renew(db, world.backends.vault, account, now=world.now())
    with world.write() as db:
        assert factors.remove_all(db, ACCOUNT) == 2
        assert factors.remove_all(db, ACCOUNT) == 0
    with world.reading() as db:
        assert [recovery_codes.left(db, account) for account in (ACCOUNT, OTHER)] == [0, 10]
    assert (held(world), len(held(world, OTHER))) == ([], 1)


def test_what_is_not_there_is_neither_renamed_nor_removed(world: World) -> None:
    world.a_totp(OTHER)
    other = held(world, OTHER)[0]
    with world.write() as db:
        assert not factors.rename(db, ACCOUNT, Kind.TOTP, other.id, "我的")
        assert not factors.remove(db, ACCOUNT, Kind.TOTP, other.id)
        assert not factors.remove(db, OTHER, Kind.TOTP, uuid4())
    assert held(world, OTHER) == [other]


def test_a_passkey_is_found_by_its_id_and_by_nothing_like_it(world: World) -> None:
    made = a_passkey(world, credential_id=b"\x00id\xff")
    with world.reading() as db:
        found = factors.find_passkey(db, b"\x00id\xff")
        assert found
        assert (found.id, found.transports, found.backed_up) == (made.id, ["internal"], True)
        assert [factors.find_passkey(db, wrong) for wrong in (b"", b"\x00id", b"\x00ID\xff")] == [None] * 3
        assert [row.id for row in factors.passkeys_of(db, ACCOUNT)] == [made.id]
        assert factors.passkeys_of(db, OTHER) == []
