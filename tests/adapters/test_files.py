"""Sealed files on the disk: what comes back is what went in, or nothing (SECURITY 66, 71, 94)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from idp.adapters.files import CHUNK, NoSpace, SealedFile, SealedFiles
from idp.crypto import SealBroken
from idp.db import uuid7


def read(files: SealedFiles, sealed: SealedFile) -> bytes:
    return b"".join(files.read(sealed))


def on_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def files(tmp_path: Path) -> SealedFiles:
    return SealedFiles(tmp_path / "files")


def test_what_comes_back_is_what_went_in_whatever_its_length(files: SealedFiles) -> None:
    for length in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5):
        data = os.urandom(length)
        sealed = files.write(uuid7(), data)
        assert (read(files, sealed), sealed.size) == (data, length)


def test_on_the_disk_stands_nothing_of_it_and_only_the_service_may_look(
    files: SealedFiles, tmp_path: Path
) -> None:
    sealed = files.write(uuid7(), b"a secret" * 1000)
    (path,) = on_disk(tmp_path)
    assert b"secret" not in path.read_bytes()
    assert path.name == sealed.location
    modes = [at.stat().st_mode & 0o777 for at in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert files.write(uuid7(), b"a secret").key != sealed.key


def test_octets_that_were_changed_cut_off_or_moved_do_not_open(files: SealedFiles, tmp_path: Path) -> None:
    sealed = files.write(uuid7(), os.urandom(3 * CHUNK))
    (path,) = on_disk(tmp_path)
    whole, step = path.read_bytes(), CHUNK + 16
    pieces = [whole[start : start + step] for start in range(0, len(whole), step)]
    for changed in (
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        whole[:-1],
        b"".join(pieces[:2]),
        pieces[1] + pieces[0] + pieces[2],
        b"",
    ):
        path.write_bytes(changed)
        with pytest.raises(SealBroken):
            read(files, sealed)
    path.write_bytes(whole)
    # A row that says it is shorter: its end is no last chunk.
    for claimed in (replace(sealed, size=CHUNK), replace(sealed, id=uuid7()), replace(sealed, key=bytes(32))):
        with pytest.raises(SealBroken):
            read(files, claimed)
    assert len(read(files, sealed)) == 3 * CHUNK


@given(location=some.one_of(some.text(max_size=40), some.just("../../etc/passwd"), some.just("a" * 32)))
def test_a_name_that_is_not_ours_leads_nowhere(location: str) -> None:
    with pytest.raises(FileNotFoundError):
        SealedFiles(Path("/nonexistent")).read(SealedFile(uuid7(), location, bytes(32), 1))


def test_a_file_that_is_removed_is_gone_and_may_be_removed_again(files: SealedFiles, tmp_path: Path) -> None:
    sealed = files.write(uuid7(), b"x")
    for _ in range(2):
        files.remove(sealed.location)
    assert on_disk(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        files.read(sealed)


def test_a_disk_that_is_full_says_so_and_keeps_no_half(
    files: SealedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoSpace):
        SealedFiles(tmp_path / "files", spare_mb=10**9).write(uuid7(), b"x")
    with pytest.raises(NoSpace):
        SealedFiles(tmp_path / "files", spare_mb=10**9).spool()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        files.write(uuid7(), b"x")
    assert on_disk(tmp_path) == []


def test_what_was_never_finished_is_removed_and_what_is_old_is_named(
    files: SealedFiles, tmp_path: Path
) -> None:
    old, young = files.write(uuid7(), b"x"), files.write(uuid7(), b"x")
    by_name = {path.name: path for path in on_disk(tmp_path)}
    half = by_name[old.location].with_suffix(".part")
    half.write_bytes(b"half")
    spool = tmp_path / "files" / f"{'a' * 32}.part"
    spool.touch()
    for path in (spool, half, by_name[old.location]):
        os.utime(path, (1000, 1000))
    assert list(files.older_than(2000)) == [old.location]
    assert not half.exists()
    assert not spool.exists()
    assert {path.name for path in on_disk(tmp_path)} == {old.location, young.location}


def test_a_spool_has_no_name(files: SealedFiles, tmp_path: Path) -> None:
    with files.spool() as spool:
        spool.write(b"x")
        assert on_disk(tmp_path) == []
