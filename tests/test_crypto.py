"""Sealed values open where they belong and nowhere else; indexes find what every key has written."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp.accounts import directory
from idp.accounts.models import Person
from idp.crypto import SealBroken, Vault, derive, hash_token, keyed_digest, new_token, plain, same
from idp.db import uuid7
from tests.world import World

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
ROW, OTHER_ROW = uuid7(), uuid7()
RELAXED = settings(deadline=None, max_examples=60, database=None)


@RELAXED
@given(text=st.text(max_size=200))
def test_what_was_sealed_opens_again(text: str) -> None:
    vault = Vault({1: OLD})
    sealed = vault.seal("people.name", ROW, text)
    assert vault.open("people.name", ROW, sealed) == text
    assert len(text) < 4 or text.encode() not in sealed


def test_the_same_value_is_never_sealed_alike() -> None:
    vault = Vault({1: OLD})
    assert len({vault.seal("people.name", ROW, "赵晓岚") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("column", "row"), [("people.phone", ROW), ("people.name", OTHER_ROW), ("people.nam", ROW), ("", ROW)]
)
def test_a_value_moved_elsewhere_does_not_open(column: str, row: UUID) -> None:
    vault = Vault({1: OLD})
    sealed = vault.seal("people.name", ROW, "赵晓岚")
    with pytest.raises(SealBroken):
        vault.open(column, row, sealed)


def test_no_changed_or_cut_byte_opens() -> None:
    vault = Vault({1: OLD})
    sealed = vault.seal("people.name", ROW, "赵晓岚")
    broken = [sealed[:length] for length in range(len(sealed))]
    broken += [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    broken += [sealed + b"\0", bytes(40), b"\x01" * 200]
    for changed in broken:
        with pytest.raises(SealBroken):
            vault.open("people.name", ROW, changed)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    before, after = Vault({1: OLD}), Vault({2: NEW, 1: OLD})
    sealed = before.seal("people.name", ROW, "赵晓岚")
    assert after.open("people.name", ROW, sealed) == "赵晓岚"
    assert after.seal("people.name", ROW, "x")[0] == 2
    assert before.index("phone", "13800000001") in after.indexes("phone", "13800000001")
    assert after.index("phone", "13800000001")[0] == 2
    with pytest.raises(SealBroken):
        Vault({2: NEW}).open("people.name", ROW, sealed)


def test_an_index_tells_kinds_and_keys_apart() -> None:
    vault = Vault({1: OLD})
    assert vault.index("phone", "1") == vault.index("phone", "1")
    assert vault.index("phone", "1") != vault.index("id_number", "1")
    assert vault.index("phone", "1")[1:] != Vault({1: NEW}).index("phone", "1")[1:]


def test_rows_written_before_a_rotation_are_found_and_read_after_it(world: World) -> None:
    person = world.a_person()
    rotated = Vault({9: NEW, **world.settings.data_key_map()})
    with world.write() as db:
        typed = (person.phone, person.id_number, person.account)
        everywhere = [directory.find_person(db, rotated, name) for name in typed]
        found = db.get_one(Person, person.row.id)
        assert everywhere == [found] * 3
        assert found.name(rotated) == person.name
        found.set_phone(rotated, "13900099999")
    with world.reading() as db:
        again = directory.find_person(db, rotated, "13900099999")
        assert again is not None
        assert (again.phone(rotated), again.id_number(rotated)) == ("13900099999", person.id_number)


def test_a_value_copied_into_another_row_of_the_database_does_not_open(world: World) -> None:
    first, second, vault = world.a_person(), world.a_person(), world.backends.vault
    with world.write() as db:
        rows = {row.id: row for row in db.scalars(select(Person))}
        rows[second.row.id].id_number_sealed = rows[first.row.id].id_number_sealed
    with world.reading() as db, pytest.raises(SealBroken):
        db.get_one(Person, second.row.id).id_number(vault)


def test_the_database_holds_no_personal_data_in_clear(world: World) -> None:
    person = world.a_person(name="褚云舒")
    with world.reading() as db:
        row = db.get_one(Person, person.row.id)
        stored = b"".join(
            value if isinstance(value, bytes) else str(value).encode()
            for value in (getattr(row, column.key) for column in Person.__table__.columns)
        )
    for secret in (person.name, person.phone, person.id_number):
        assert secret.encode() not in stored


def test_a_digest_frames_its_parts() -> None:
    assert keyed_digest(OLD, "ab", "c") != keyed_digest(OLD, "a", "bc")
    assert keyed_digest(OLD, "ab") != keyed_digest(OLD, "ab", "")
    assert keyed_digest(OLD, "ab") != keyed_digest(NEW, "ab")
    assert keyed_digest(OLD, "é") == keyed_digest(OLD, "é".encode())


def test_derived_keys_differ_by_purpose() -> None:
    assert len({derive(OLD, "seal"), derive(OLD, "blind-index"), derive(NEW, "seal")}) == 3


def test_tokens_are_long_and_differ() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) >= 43 for token in made)
    assert hash_token("\udc80") != hash_token("?"), "what is no text is hashed too"


@RELAXED
@given(left=st.text(), right=st.text())
def test_a_comparison_says_what_equality_says(left: str, right: str) -> None:
    assert same(left, right) == (left == right)
    assert same(left, left)


def test_full_width_typing_is_folded() -> None:
    assert plain("　１３８０００００００１ ") == "13800000001"
