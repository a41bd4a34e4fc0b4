"""Uploaded files as pages use them: the field, what was sent, what stays and what is refused (section Y).

A page declares its fields once, and lets them take what was sent before it reads the rest of its form::

    LICENCE = Slot("licence", "企业营业执照原件", (Kind.PDF, Kind.JPG, Kind.PNG), sample="img/licence.svg", …)

    def _uploads(appeal) -> Uploads:
        return Uploads(f"appeal:{appeal.id}", (LICENCE, …))

    @blueprint.get("/materials")
    def materials() -> Any:
        return _page(MaterialsForm(), _uploads(…))

    @blueprint.post("/materials")
    @takes_files(again=materials, slots=("licence", …))
    def send_materials() -> Any:
        form, uploads = MaterialsForm(request.form), _uploads(…)
        uploads.take()
        if uploads.stays_here():
            return uploads.answer(lambda: _page(form, uploads))
        if not (form.validate() & uploads.are_complete()):
            return uploads.answer(lambda: _page(form, uploads))
        …

The template's form has ``enctype="multipart/form-data"``, begins with ``ui.enter_means``, and calls
``{{ files.summary(uploads.problems()) }}`` and ``{{ files.field(shown) }}`` for each of ``uploads.shown()``
(`theme/files.html`); ``files.script()`` at its end.

Each file is judged for itself: one that is refused leaves its reason at its field, and those that are fine
are stored, in place of what the field had. 移除 is a button of the same form (`stays_here`). With
``uploads.js`` a file is sent as soon as it is chosen, by the same form and button, and answered in JSON.

A body that is too long or too slow as a whole never reaches the view: the page of `again` is shown, with a
sentence among `problems` (`idp.web.upload_bodies`).

`take` commits what the request wrote before it: it calls parsers and the scanner, and nothing slow happens
inside a transaction. The rows it writes are part of the request's own; on a rollback the files are orphans,
which `idp worker` removes. What is stored is listed, opened and deleted by `idp.accounts.files`; how it
leaves the house stands in `idp.web.stored_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from flask import jsonify, make_response, request
from werkzeug.datastructures import FileStorage

from idp.accounts import files
from idp.accounts.audit import Action, Event
from idp.accounts.files import Ceiling, NewFile, StoredFile
from idp.adapters.inspection import ENDINGS, Kind, UploadRefused, Why
from idp.db import pause
from idp.web import upload_words
from idp.web.intake import Caller, examine, length_of
from idp.web.platform import after_commit, db, now, platform, settings
from idp.web.security import allow_scripts
from idp.web.signin import origin
from idp.web.upload_bodies import takes_files, whole_refusal
from idp.web.upload_words import size_words

__all__ = ["Kept", "Kind", "Refused", "ShownUpload", "Slot", "Taken", "Uploads", "takes_files"]

REMOVE: Final = "remove"
"""The name of the button 移除; its value is the slot's name."""
SENT_ALONE: Final = "upload_alone"
"""What the script adds to a form of which it sends one file."""
_MEBI: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Slot:
    """A field for one file: its `name` in the form (at most 32 characters), its `kinds`, and how it is shown.

    `sample` is the 示例图, a file of the theme, with `sample_alt` in its place for whoever does not see it.
    """

    name: str
    label: str
    kinds: tuple[Kind, ...]
    hint: str = ""
    sample: str = ""
    sample_alt: str = ""
    is_required: bool = True

    @property
    def endings(self) -> tuple[str, ...]:
        """What a file's name may end in, in the order of the kinds."""
        return tuple(ending for kind in self.kinds for ending in ENDINGS[kind])


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there: what its field says of it."""

    name: str
    size: str
    pages: int | None

    @property
    def about(self) -> str:
        """Its size, and its pages if it has any."""
        return f"{self.size}，{self.pages} 页" if self.pages else self.size


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was stored in a slot."""

    slot: Slot
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not: why, and the sentence at its field."""

    slot: Slot
    why: Why
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownUpload:
    """What the macro of `theme/files.html` needs of one field."""

    slot: Slot
    kept: Kept | None
    error: str
    href: str = ""

    @property
    def accept(self) -> str:
        """What the browser's chooser offers first (a hint only)."""
        return ",".join(f".{ending}" for ending in self.slot.endings)

    @property
    def bounds(self) -> str:
        """The kinds and the size, in words."""
        kinds = upload_words.kinds_words(self.slot.kinds)
        return f"{kinds} 格式，不超过 {settings().upload_file_mb} MB"

    @property
    def most(self) -> int:
        """The octets of the largest file, for the script."""
        return settings().upload_file_mb * _MEBI


@dataclass(slots=True)
class Uploads:
    """The fields of one page for the files of `owner` (a key such as ``appeal:…``).

    `most` is how many octets all of the owner's files may have together, by default what the settings say.
    `since`: what was stored before does not count, as it is asked for anew. `opens`: the address of 查看
    beside a file, empty where who is asking may not look at it.
    """

    owner: str
    slots: Sequence[Slot]
    most: int = 0
    since: datetime | None = None
    opens: Callable[[StoredFile], str] | None = None
    _errors: dict[str, str] = field(default_factory=dict)
    _whys: set[Why] = field(default_factory=set)

    def take(self) -> list[Taken | Refused]:
        """Store what was sent and is fine, remove what 移除 was pressed for; what became of each file."""
        slots = {slot.name: slot for slot in self.slots}
        sent = [(slots[name], one) for name, one in request.files.items(multi=True) if name in slots]
        chosen = [(slot, one) for slot, one in sent if one.filename]
        removed = request.form.get(REMOVE, "")
        # Of a slot that was sent twice the last counts.
        judged = self._judged({slot.name: (slot, one) for slot, one in chosen}) if chosen else []
        if removed in slots:
            # After the pause, whose commit it is not to be part of: whoever calls may yet roll it back.
            self._remove(removed)
        return [self._settled(each) for each in judged]

    def stays_here(self) -> bool:
        """Whether this was 移除, or the script's sending of one file: the page stays."""
        return request.method == "POST" and (REMOVE in request.form or SENT_ALONE in request.form)

    def answer(self, shown: Callable[[], Any]) -> Any:
        """Answer a POST after which the page stays: JSON for the script, else the page that `shown` makes."""
        if SENT_ALONE in request.form and request.accept_mimetypes.best == "application/json":
            return jsonify(self._told()), 200, {"Vary": "Accept"}
        response = make_response(shown())
        if {Why.UNCHECKED, Why.CROWDED, Why.NO_SPACE} & self._whys:
            response.status_code = 503
            response.headers["Retry-After"] = "60"
        return response

    def are_complete(self) -> bool:
        """Whether every required slot has its file and nothing was refused; what is missing is said there."""
        there = self._there()
        for slot in self.slots:
            if slot.is_required and slot.name not in there:
                self._errors.setdefault(slot.name, f"请上传{slot.label}")
        return not self._errors

    def problems(self) -> list[tuple[str, str]]:
        """What the summary of the page says: the id of a field, and its sentence."""
        whole = whole_refusal()
        found = [
            (slot.name, _of_slot(slot, self._errors[slot.name]))
            for slot in self.slots
            if slot.name in self._errors
        ]
        return ([("", whole)] if whole else []) + found

    def shown(self) -> list[ShownUpload]:
        """The fields as the page shows them; its script may send files."""
        allow_scripts(asking=True)
        there = self._there()
        return [
            ShownUpload(
                slot,
                _kept(there.get(slot.name)),
                self._errors.get(slot.name, ""),
                self._href(there.get(slot.name)),
            )
            for slot in self.slots
        ]

    def _href(self, file: StoredFile | None) -> str:
        return self.opens(file) if file and self.opens else ""

    def _there(self) -> dict[str, StoredFile]:
        there, since = files.of(db(), self.owner), self.since
        return {one.slot: one for one in there if since is None or one.created_at > since}

    def _told(self) -> dict[str, Any]:
        return {
            "problem": whole_refusal(),
            "fields": {
                shown.slot.name: {
                    "name": shown.kept.name if shown.kept else "",
                    "about": shown.kept.about if shown.kept else "",
                    "href": shown.href,
                    "sentence": shown.error,
                }
                for shown in self.shown()
            },
        }

    def _judged(self, chosen: dict[str, tuple[Slot, FileStorage]]) -> list[_Judged]:
        """Each file looked at and written to the disk, before the first row is written."""
        pause(db())
        caller, judged = Caller.of_request(), []
        for slot, sent in chosen.values():
            found: NewFile | UploadRefused
            try:
                found = examine(sent, slot.kinds, caller)
            except UploadRefused as refused:
                found = refused
            judged.append(_Judged(slot, length_of(sent), found))
        return judged

    def _settled(self, judged: _Judged) -> Taken | Refused:
        if isinstance(judged.found, UploadRefused):
            return self._refused(judged, judged.found)
        slot, here = judged.slot, platform()
        ceiling = Ceiling(self.most or settings().upload_owner_mb * _MEBI)
        try:
            kept, replaced = files.keep(
                db(), here.vault, judged.found, self.owner, slot.name, ceiling, now=now()
            )
        except UploadRefused as full:
            here.files.remove(judged.found.sealed.location)
            return self._refused(judged, full)
        self._record(Action.FILE_STORED, {"slot": slot.name, "size": kept.size})
        _drop_at_commit(replaced)
        self._errors.pop(slot.name, None)
        return Taken(slot, kept)

    def _refused(self, judged: _Judged, refused: UploadRefused) -> Refused:
        slot = judged.slot
        sentence = upload_words.sentence(refused, slot.kinds, settings(), size=judged.size)
        if refused.why is Why.INFECTED:
            detail = {"slot": slot.name, "why": refused.why.value, "signature": refused.detail[:80]}
            self._record(Action.FILE_REFUSED, detail)
        self._errors[slot.name] = sentence
        self._whys.add(refused.why)
        return Refused(slot, refused.why, sentence)

    def _remove(self, name: str) -> None:
        gone = files.forget_slot(db(), self.owner, name, now=now())
        if gone:
            self._record(Action.FILE_REMOVED, {"slot": name})
            _drop_at_commit(gone)

    def _record(self, action: Action, detail: dict[str, Any]) -> None:
        event = Event(action, target=self.owner, detail=detail)
        platform().trail.record(db(), event, origin(), now=now())


@dataclass(frozen=True, slots=True)
class _Judged:
    slot: Slot
    size: int
    found: NewFile | UploadRefused


def _of_slot(slot: Slot, sentence: str) -> str:
    """A sentence for the summary, where it stands apart from its field."""
    return sentence if slot.label in sentence else f"{slot.label}：{sentence}"


def _drop_at_commit(gone: Sequence[StoredFile]) -> None:
    """Take the octets off the disk once nobody can come back to them; the worker does what this misses."""
    for one in gone:
        after_commit(partial(platform().files.remove, one.location))


def _kept(file: StoredFile | None) -> Kept | None:
    if file is None:
        return None
    return Kept(file.name(platform().vault), size_words(file.size), file.pages)
