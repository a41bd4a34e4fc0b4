"""The parts of a body with files: those of the page's own fields are kept, whatever else comes is not.

Nobody needs anything to send a form, whose token stands in the same body, and each part that is kept is a
file of this process until the request ends.
"""

from __future__ import annotations

from collections.abc import Container
from typing import IO

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import File


class FormOfSlots(FormDataParser):
    """What `plain` is, but for the files of other names than `slots`, which are not kept."""

    def __init__(self, plain: FormDataParser, slots: Container[str]) -> None:
        vars(self).update(vars(plain))
        self.slots = slots

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,  # noqa: ARG002 - werkzeug's signature
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """The form, which is one in parts, and what came beside it."""
        try:
            boundary = (options or {})["boundary"].encode("ascii")
            form, sent = _PartsOfSlots(self).parse(stream, boundary, content_length)
        except ValueError:
            return stream, self.cls(), self.cls()
        return stream, form, sent


class _PartsOfSlots(MultiPartParser):
    def __init__(self, of_form: FormOfSlots) -> None:
        super().__init__(
            of_form.stream_factory,
            of_form.max_form_memory_size,
            of_form.cls,
            max_form_parts=of_form.max_form_parts,
        )
        self._slots = of_form.slots

    def start_file_streaming(self, event: File, total_content_length: int | None) -> IO[bytes]:
        """Where the part goes that begins."""
        if event.name not in self._slots:
            return _Dropped()  # type: ignore[return-value]  # as with a spool: it is written and wound back
        return super().start_file_streaming(event, total_content_length)


class _Dropped:
    """Where a part goes that no field of the page has."""

    def write(self, piece: bytes | bytearray) -> int:
        return len(piece)

    def seek(self, place: int) -> int:
        return place

    def read(self, _size: int = -1) -> bytes:
        return b""

    def close(self) -> None:
        pass
