"""Recovery codes: ten, shown once, each good for one proof (MISSION Y)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp.accounts.factors import RecoveryCode
from idp.crypto import Vault
from idp.proof import recovery_codes
from tests.adapters.arrange import at_once
from tests.world import World

ACCOUNT, OTHER = "person:00000000-0000-0000-0000-000000000001", "person:00000000-0000-0000-0000-000000000002"


def ten(world: World, account: str = ACCOUNT, *, vault: Vault | None = None) -> list[str]:
    """New codes of the account."""
    with world.write() as db:
        return recovery_codes.renew(db, vault or world.backends.vault, account, now=world.now())


def spent(world: World, typed: str, account: str = ACCOUNT) -> bool:
    """Whether what was typed was good for a proof."""
    with world.write() as db:
        return recovery_codes.spend(db, world.backends.vault, account, typed, now=world.now())


def left(world: World, account: str = ACCOUNT) -> int:
    with world.reading() as db:
        return recovery_codes.left(db, account)


def test_there_are_ten_of_fifty_bits_that_can_be_read_from_paper(world: World) -> None:
    made = ten(world)
    assert len(set(made)) == 10
    for code in made:
        front, _dash, back = code.partition("-")
        # 32 letters, ten of them: 50 bits.
        assert (len(front), len(back)) == (5, 5)
        assert not set("ilou") & set(code)
    letters = {letter for _ in range(20) for code in ten(world) for letter in code}
    assert len(letters - {"-"}) == 32


def test_each_works_once(world: World) -> None:
    made = ten(world)
    assert [spent(world, made[0]), spent(world, made[0]), left(world)] == [True, False, 9]
    assert [spent(world, code) for code in made] == [False] + [True] * 9
    assert left(world) == 0


def test_of_many_who_send_one_code_at_once_one_comes_in(world: World) -> None:
    made = ten(world)
    assert sum(at_once(8, lambda _: spent(world, made[3]))) == 1


def test_new_codes_end_the_old_ones(world: World) -> None:
    old, new = ten(world), ten(world)
    assert not spent(world, old[0])
    assert spent(world, new[0])
    assert left(world) == 9


def test_renewed_by_two_at_once_ten_are_left(world: World) -> None:
    made = at_once(4, lambda _: ten(world))
    assert left(world) == 10
    assert sum(any(spent(world, code) for code in codes) for codes in made) == 1


def test_a_code_of_another_account_is_good_for_nothing_and_stays(world: World) -> None:
    mine, theirs = ten(world), ten(world, OTHER)
    assert not spent(world, theirs[0], ACCOUNT)
    assert spent(world, theirs[0], OTHER)
    assert spent(world, mine[0], ACCOUNT)


def test_letters_that_look_alike_case_dashes_and_full_width_are_forgiven(world: World) -> None:
    with world.write() as db:
        for code in ("0123456789", "v1v1v1v1v1", "abcdefghjk", "mnpqrstvwx"):
            index = world.backends.vault.index("recovery_code", code)
            db.add(RecoveryCode(account=ACCOUNT, code_index=index, created_at=world.now()))
    assert spent(world, "O i2 34-5678 9")
    assert spent(world, "uLuIuluiUL")
    assert spent(world, "ＡＢＣＤＥ－ＦＧＨＪＫ")
    assert spent(world, "MNPQR–STVWX")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "abcde-fghj",
        "abcde-fghjkm",
        "123456",
        "abcde-fghj\0",
        "林小满林小满林小满林",
        "\ud800" * 10,
        "a" * 10**6,
    ],
)
def test_what_has_another_form_is_no_code(typed: str) -> None:
    assert not recovery_codes.looks_like_one(typed)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_read_without_a_stumble(typed: str) -> None:
    recovery_codes.looks_like_one(typed)


@given(st.text(alphabet="0123456789abcdefghjkmnpqrstvwxyz", min_size=10, max_size=10))
def test_every_code_looks_like_one_however_it_is_written(code: str) -> None:
    for written in (code, code.upper(), f"{code[:5]}-{code[5:]}", " ".join(code)):
        assert recovery_codes.looks_like_one(written)


def test_no_code_is_kept_in_clear(world: World) -> None:
    made = ten(world)
    with world.reading() as db:
        kept = b"".join(db.scalars(select(RecoveryCode.code_index)))
    for code in made:
        assert code.replace("-", "").encode() not in kept


def test_a_code_made_under_an_older_data_key_is_still_found(world: World) -> None:
    old = Vault({1: bytes(range(32))})
    rotated = Vault({2: bytes(range(32, 64)), 1: bytes(range(32))})
    made = ten(world, vault=old)
    with world.write() as db:
        assert recovery_codes.spend(db, rotated, ACCOUNT, made[0], now=world.now())
        assert not recovery_codes.spend(db, rotated, ACCOUNT, made[0], now=world.now())
        assert not recovery_codes.spend(
            db, Vault({2: bytes(range(32, 64))}), ACCOUNT, made[1], now=world.now()
        )
