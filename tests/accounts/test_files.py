"""The rows of uploaded files: kept, replaced, forgotten and swept (SECURITY 66, 71)."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from idp.accounts import files
from idp.accounts.files import Ceiling, NewFile, StoredFile
from idp.adapters.inspection import UploadRefused, Why
from idp.crypto import SealBroken
from idp.db import uuid7
from tests.world import World

OWNER = "appeal:0198c0de-0000-7000-8000-000000000001"
ROOM = Ceiling(1000)


def a_file(
    world: World, data: bytes = b"x" * 100, *, owner: str = OWNER, slot: str = "licence"
) -> StoredFile:
    """A file that is stored and committed."""
    with world.write() as db:
        sealed = world.platform.files.write(uuid7(), data)
        new = NewFile(sealed, "执照.pdf", "application/pdf", pages=1)
        kept, _ = files.keep(db, world.backends.vault, new, owner, slot, ROOM, now=world.now())
    return kept


def on_disk(world: World) -> set[str]:
    return {path.name for path in world.settings.effective_files_dir().rglob("*") if path.is_file()}


def there(world: World, owner: str = OWNER) -> list[StoredFile]:
    with world.reading() as db:
        return files.of(db, owner)


def read(world: World, file: StoredFile) -> bytes:
    return b"".join(files.contents(world.platform.files, world.backends.vault, file))


def sweep(world: World, *, later: timedelta = timedelta()) -> int:
    with world.write() as db:
        return files.sweep(db, world.platform.files, now=world.now() + later)


def test_a_file_is_read_by_its_row_and_neither_name_nor_key_stands_there_in_clear(world: World) -> None:
    kept = a_file(world, b"the licence")
    (found,) = there(world)
    assert (found.id, found.slot, found.size, found.pages) == (kept.id, "licence", 11, 1)
    assert (found.name(world.backends.vault), read(world, found)) == ("执照.pdf", b"the licence")
    assert "执照".encode() not in found.name_sealed
    other = a_file(world, b"another", owner="appeal:2")
    found.key_sealed = other.key_sealed
    with pytest.raises(SealBroken):
        read(world, found)


def test_a_file_is_found_only_with_its_owner(world: World) -> None:
    kept = a_file(world)
    with world.reading() as db:
        assert files.find(db, OWNER, kept.id)
        assert files.find(db, "appeal:another", kept.id) is None
        assert files.find(db, OWNER, uuid7()) is None


def test_a_slot_has_one_file_and_an_owner_no_more_than_his_ceiling(world: World) -> None:
    first = a_file(world, b"x" * 600)
    second = a_file(world, b"y" * 700)
    assert [one.id for one in there(world)] == [second.id]
    a_file(world, b"z" * 300, slot="authorisation")
    with pytest.raises(UploadRefused) as refused:
        a_file(world, b"1", slot="operator")
    assert refused.value.why is Why.OWNER_FULL
    assert {one.slot for one in there(world)} == {"licence", "authorisation"}
    a_file(world, b"1" * 900, owner="appeal:another")
    with world.reading() as db:
        assert files.find(db, OWNER, first.id) is None


def test_of_uploads_at_once_one_stays_in_a_slot_and_the_ceiling_holds(world: World) -> None:
    outcomes: list[str] = []

    def upload(slot: str) -> None:
        try:
            a_file(world, b"x" * 400, slot=slot)
            outcomes.append("kept")
        except UploadRefused as refused:
            outcomes.append(refused.why.value)

    for slots in (("licence",) * 3, ("a", "b", "c")):
        threads = [threading.Thread(target=upload, args=(slot,)) for slot in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["kept"] * 4 + ["owner_full"] * 2
    assert sum(one.size for one in there(world)) <= ROOM.most
    assert len([one for one in there(world) if one.slot == "licence"]) == 1


def test_what_is_forgotten_cannot_be_read_from_the_commit_on_and_not_before(world: World) -> None:
    kept = a_file(world, b"a secret")
    with world.backends.database.session() as db:
        files.forget_slot(db, OWNER, "licence", now=world.now())
        db.rollback()
    assert read(world, there(world)[0]) == b"a secret"
    with world.write() as db:
        (gone,) = files.forget_slot(db, OWNER, "licence", now=world.now())
    assert (there(world), gone.id, gone.key_sealed) == ([], kept.id, None)
    with pytest.raises(FileNotFoundError):
        read(world, gone)
    assert on_disk(world) == {kept.location}
    assert (sweep(world), sweep(world)) == (1, 0)
    assert on_disk(world) == set()


def test_a_withdrawal_takes_all_files_of_its_owner_and_no_others(world: World) -> None:
    other = a_file(world, owner="appeal:another")
    for slot in ("licence", "authorisation"):
        a_file(world, slot=slot)
    with world.write() as db:
        assert len(files.forget_all(db, OWNER, now=world.now())) == 2
    sweep(world)
    assert on_disk(world) == {other.location}


def test_a_file_without_a_row_goes_after_an_hour_and_one_with_a_row_stays(world: World) -> None:
    kept, orphan = a_file(world), world.platform.files.write(uuid7(), b"nobody's")
    assert sweep(world) == 0
    assert on_disk(world) == {kept.location, orphan.location}
    assert sweep(world, later=timedelta(hours=1, minutes=1)) == 1
    assert on_disk(world) == {kept.location}
    assert read(world, kept)


def test_a_row_whose_file_is_gone_is_swept_all_the_same(world: World) -> None:
    kept = a_file(world)
    with world.write() as db:
        db.execute(update(StoredFile).values(deleted_at=world.now()))
    Path(next(world.settings.effective_files_dir().rglob(kept.location))).unlink()
    assert sweep(world) == 1
    with world.reading() as db:
        assert db.get(StoredFile, kept.id) is None
