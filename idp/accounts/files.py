"""What people uploaded: one row a file, whose contents lie sealed on the disk (`idp.adapters.files`).

The key of a file stands in its row, sealed by the Vault. To forget a file is to wipe that key: from the
commit on nobody can read it, and on a rollback nothing was lost. The octets themselves go with the next
`sweep`, which also removes what no row speaks of: a process that died between the disk and its commit left
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.adapters.files import SealedFile, SealedFiles
from idp.adapters.inspection import UploadRefused, Why
from idp.crypto import Vault
from idp.db import Base, begin_write, partial_index, uuid7

ORPHANED_AFTER: Final = timedelta(hours=1)
"""No request takes so long: a file of that age without a row belongs to nobody."""
_KEY, _NAME = "stored_files.key", "stored_files.name"
_MANY: Final = 500


class StoredFile(Base):
    """One uploaded file. `owner` is the key of whose it is (``appeal:…``), `slot` what it is for.

    `size` is in octets as stored; `pages` is None for what has none.
    """

    __tablename__ = "stored_files"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    owner: Mapped[str] = mapped_column(String(80))
    slot: Mapped[str] = mapped_column(String(32))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    pages: Mapped[int | None]
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    location: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_stored_files_owner", "owner"),
        partial_index("ix_stored_files_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
    )

    def name(self, vault: Vault) -> str:
        """The name it was sent under, cleaned: for people to read. Raises SealBroken."""
        return vault.open(_NAME, self.id, self.name_sealed)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was checked and stands sealed on the disk."""

    sealed: SealedFile
    name: str
    media_type: str
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How many octets the files of one owner may have together."""

    most: int


def keep(
    db: Session, vault: Vault, new: NewFile, owner: str, slot: str, ceiling: Ceiling, *, now: datetime
) -> tuple[StoredFile, list[StoredFile]]:
    """Write the row of `new` in the caller's transaction; it, and the files of the slot that it replaces.

    Of two at once one waits for the other, so that no slot has two files and no owner more than his ceiling.

    Raises UploadRefused (OWNER_FULL): nothing was changed then.
    """
    _one_at_a_time(db, owner)
    there = of(db, owner)
    replaced = [one for one in there if one.slot == slot]
    if sum(one.size for one in there if one.slot != slot) + new.sealed.size > ceiling.most:
        raise UploadRefused(Why.OWNER_FULL)
    for one in replaced:
        _forget(one, now=now)
    kept = StoredFile(
        id=new.sealed.id,
        owner=owner,
        slot=slot,
        media_type=new.media_type,
        size=new.sealed.size,
        pages=new.pages,
        name_sealed=vault.seal(_NAME, new.sealed.id, new.name),
        key_sealed=vault.seal(_KEY, new.sealed.id, new.sealed.key.hex()),
        location=new.sealed.location,
        created_at=now,
    )
    db.add(kept)
    db.flush()
    return kept, replaced


def of(db: Session, owner: str) -> list[StoredFile]:
    """The files of `owner` that are there, the oldest first."""
    live = select(StoredFile).where(StoredFile.owner == owner, StoredFile.deleted_at.is_(None))
    return list(db.scalars(live.order_by(StoredFile.id)))


def find(db: Session, owner: str, file_id: UUID) -> StoredFile | None:
    """A file of this owner by its id; None for another's, or one that was deleted."""
    found = db.get(StoredFile, file_id)
    return found if found and found.owner == owner and found.deleted_at is None else None


def contents(files: SealedFiles, vault: Vault, file: StoredFile) -> Iterator[bytes]:
    """What the file holds, chunk by chunk.

    Raises FileNotFoundError, if it was deleted meanwhile too, and SealBroken.
    """
    if file.key_sealed is None:
        raise FileNotFoundError(file.location)
    key = bytes.fromhex(vault.open(_KEY, file.id, file.key_sealed))
    return files.read(SealedFile(file.id, file.location, key, file.size))


def forget_slot(db: Session, owner: str, slot: str, *, now: datetime) -> list[StoredFile]:
    """Delete what a slot of `owner` holds, in the caller's transaction; what that was."""
    return _forget_all(db, owner, {slot}, now=now)


def forget_all(db: Session, owner: str, *, now: datetime) -> list[StoredFile]:
    """Delete all files of `owner` (a withdrawal, the end of retention), in the caller's transaction."""
    return _forget_all(db, owner, None, now=now)


def sweep(db: Session, files: SealedFiles, *, now: datetime) -> int:
    """Remove from the disk what was deleted and what belongs to nobody; how many files went.

    Call again while it is not 0, each time in a transaction of its own.
    """
    return _remove_deleted(db, files) + _remove_orphans(db, files, now=now)


def _one_at_a_time(db: Session, owner: str) -> None:
    """Hold back every other writer of this owner's files until this transaction ends."""
    begin_write(db)
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"files:{owner}", 0))))


def _forget_all(db: Session, owner: str, slots: set[str] | None, *, now: datetime) -> list[StoredFile]:
    _one_at_a_time(db, owner)
    gone = [one for one in of(db, owner) if slots is None or one.slot in slots]
    for one in gone:
        _forget(one, now=now)
    db.flush()
    return gone


def _forget(file: StoredFile, *, now: datetime) -> None:
    file.deleted_at = now
    file.key_sealed = None


def _remove_deleted(db: Session, files: SealedFiles) -> int:
    gone = db.execute(
        select(StoredFile.id, StoredFile.location).where(StoredFile.deleted_at.is_not(None)).limit(_MANY)
    ).all()
    # The octets first: a row that is left is met again, a file without a row after an hour only.
    for one in gone:
        files.remove(one.location)
    if gone:
        db.execute(delete(StoredFile).where(StoredFile.id.in_([one.id for one in gone])))
    return len(gone)


def _remove_orphans(db: Session, files: SealedFiles, *, now: datetime) -> int:
    old = list(files.older_than((now - ORPHANED_AFTER).timestamp()))
    went = 0
    for start in range(0, len(old), _MANY):
        some = old[start : start + _MANY]
        known = set(db.scalars(select(StoredFile.location).where(StoredFile.location.in_(some))))
        for location in some:
            if location not in known:
                files.remove(location)
                went += 1
    return went
