"""Sealed files on the disk: what people uploaded, unreadable to whoever holds the disk alone.

Each file has a random name and a random key of its own, which the caller keeps (sealed, in the row that
speaks of the file): without that row the octets say nothing. A file is a run of chunks, each sealed with
AES-256-GCM under a nonce that counts them and says which is the last, and bound to the row (STREAM, Hoang et
al. 2015): one that was cut off, put in another order or into another file does not open.

A file is whole before it has its name, so a process that dies leaves none in halves.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idp.crypto import SealBroken

CHUNK: Final = 64 * 1024
_TAG: Final = 16
_NAME: Final = re.compile(r"[0-9a-f]{32}")
_HALF_MADE: Final = ".part"
_MEBI: Final = 1024 * 1024


class NoSpace(Exception):
    """Nothing can be written: the disk is full, or not there."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """What was written: for which row, where, under which key, how long it is in clear (octets)."""

    id: UUID
    location: str
    key: bytes
    size: int


class SealedFiles:
    """The files below `root`; what is written leaves `spare_mb` mebibytes of its disk free."""

    def __init__(self, root: Path, *, spare_mb: int = 0) -> None:
        self._root = root
        self._spare = spare_mb * _MEBI

    def write(self, file_id: UUID, data: bytes) -> SealedFile:
        """Seal `data` for the row `file_id`; it stands on the disk when this returns. Raises NoSpace."""
        made = SealedFile(file_id, secrets.token_hex(16), AESGCM.generate_key(256), len(data))
        path = self._path(made.location)
        try:
            self._make_room(path.parent, len(data))
            _write_whole(path, _sealed(made, data))
        except OSError as fault:
            raise NoSpace(type(fault).__name__) from None
        return made

    def read(self, sealed: SealedFile) -> Iterator[bytes]:
        """What was written, chunk by chunk.

        Raises FileNotFoundError at once, SealBroken at the chunk that is not what was written.
        """
        return _opened(sealed, self._path(sealed.location).open("rb"))

    def remove(self, location: str) -> None:
        """Remove a file; one that is gone does not matter."""
        self._path(location).unlink(missing_ok=True)

    def older_than(self, instant: float) -> Iterator[str]:
        """The names of files written before `instant` (seconds since the epoch).

        What was never finished before then is removed on the way.
        """
        # A spool whose process died before it took the name away lies in the root itself.
        for path in chain(self._root.glob("[0-9a-f][0-9a-f]/*"), self._root.glob(f"*{_HALF_MADE}")):
            try:
                is_old = path.stat().st_mtime < instant
            except FileNotFoundError:
                continue
            if is_old and path.suffix == _HALF_MADE:
                path.unlink(missing_ok=True)
            elif is_old and _NAME.fullmatch(path.name):
                yield path.name

    def spool(self) -> BinaryIO:
        """A file without a name, for octets on their way; it is gone when it is closed. Raises NoSpace."""
        try:
            self._make_room(self._root, 0)
            return _nameless(self._root)
        except OSError as fault:
            raise NoSpace(type(fault).__name__) from None

    def _make_room(self, directory: Path, size: int) -> None:
        # `parents` gives its mode to the last directory alone.
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        if shutil.disk_usage(directory).free < self._spare + size:
            raise NoSpace("less room than is to be spared")

    def _path(self, location: str) -> Path:
        # A name that is not ours is no path of ours, whatever a row says.
        if not _NAME.fullmatch(location):
            raise FileNotFoundError(location)
        return self._root / location[:2] / location


def _nameless(directory: Path) -> BinaryIO:
    name = directory / f"{secrets.token_hex(16)}{_HALF_MADE}"
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    name.unlink()
    return os.fdopen(handle, "w+b")


def _write_whole(path: Path, chunks: Iterator[bytes]) -> None:
    """Write all of it under another name, give it its own when the disk has it."""
    half_made = path.with_suffix(_HALF_MADE)
    handle = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        half_made.rename(path)
    except BaseException:
        half_made.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _sealed(made: SealedFile, data: bytes) -> Iterator[bytes]:
    seal, bound = AESGCM(made.key), made.id.bytes
    last = max(0, (len(data) - 1) // CHUNK)
    for number in range(last + 1):
        chunk = data[number * CHUNK : (number + 1) * CHUNK]
        yield seal.encrypt(_nonce(number, is_last=number == last), chunk, bound)


def _opened(sealed: SealedFile, file: BinaryIO) -> Iterator[bytes]:
    seal, bound = AESGCM(sealed.key), sealed.id.bytes
    last = max(0, (sealed.size - 1) // CHUNK)
    with file:
        for number in range(last + 1):
            try:
                yield seal.decrypt(_nonce(number, is_last=number == last), file.read(CHUNK + _TAG), bound)
            except (InvalidTag, ValueError):
                raise SealBroken("a stored file is not what was written") from None


def _nonce(number: int, *, is_last: bool) -> bytes:
    """The chunk's number, and whether it is the last; a key seals one file, so no nonce repeats."""
    return number.to_bytes(11, "big") + bytes([is_last])
