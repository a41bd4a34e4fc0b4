"""`idp worker` and uploaded files: what was deleted or belongs to nobody leaves the disk (SECURITY 71)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.accounts import files
from idp.accounts.files import Ceiling, NewFile
from idp.adapters.relying_party import RelyingParties
from idp.appeal.models import Appeal, State
from idp.cli.worker import Worker
from idp.db import uuid7
from tests.appeal.builders import an_appeal
from tests.world import World

OWNER = "appeal:0198c0de-0000-7000-8000-000000000001"


def test_a_round_takes_deleted_files_and_orphans_off_the_disk_and_no_others(world: World) -> None:
    on_disk = world.platform.files
    with world.write() as db:
        for slot in ("licence", "paper"):
            new = NewFile(on_disk.write(uuid7(), b"x"), "a.pdf", "application/pdf")
            files.keep(db, world.backends.vault, new, OWNER, slot, Ceiling(100), now=world.now())
    on_disk.write(uuid7(), b"nobody's")
    with world.write() as db:
        files.forget_slot(db, OWNER, "licence", now=world.now())
    with world.reading() as db:
        (kept,) = files.of(db, OWNER)
    worker = Worker(world.settings, world.backends, RelyingParties(inside_allowed=True))
    worker.round(world.now() + timedelta(hours=2))
    left = {path.name for path in world.settings.effective_files_dir().rglob("*") if path.is_file()}
    assert left == {kept.location}


def test_what_was_deleted_leaves_the_disk_whatever_becomes_of_an_appeal(world: World) -> None:
    unreadable = an_appeal(world, State.MORE, papers=["licence"], answer_until=world.now())
    with world.write() as db:
        db.get_one(Appeal, unreadable.id).told_sealed = b"\x01broken"
        files.forget_all(db, unreadable.key, now=world.now())
    worker = Worker(world.settings, world.backends, RelyingParties(inside_allowed=True))
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the vault says
        worker.round(world.now() + timedelta(hours=2))
    assert worker.rounds == 1, "what is done each minute is tried again in a minute, not in each round"
    assert not [path for path in world.settings.effective_files_dir().rglob("*") if path.is_file()]
