"""The process that parses what a stranger sent: one file, little memory, little time, then it ends.

Run by `child` as ``python -m idp.adapters.inspection.program check|draw <kind> <page> <watermark>``; the
file comes by standard input, the answer leaves by standard output: a line of JSON, and the file as it is to
be.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Final

from idp.adapters.inspection.kinds import PICTURES, Kind
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

MEMORY: Final = 768 * 1024 * 1024
"""Octets of address space: 40 megapixels with transparency take 160 MB, and as much once more."""
CPU_SECONDS: Final = 10


def main(words: list[str]) -> None:
    """Answer one request, and end."""
    what, name, page, watermark = words
    kind = Kind(name)
    act = _drawer(int(page), watermark) if what == "draw" else _rule_of(kind)
    # Only once all of our own is loaded: from here on the file has its say.
    _bound()
    data = sys.stdin.buffer.read()
    try:
        made = act(kind, data)
        told = {"kind": made.kind.value, "pages": made.pages}
        answer = made.data if made.data is not data else b""
    except UploadRefused as refused:
        told, answer = {"why": refused.why.value, "detail": refused.detail[:200]}, b""
    except (MemoryError, RecursionError) as outgrown:
        told, answer = {"why": Why.TOO_MUCH_INSIDE.value, "detail": type(outgrown).__name__}, b""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + answer)
    sys.stdout.buffer.flush()


def check(kind: Kind, data: bytes) -> Checked:
    """The file as it is to be stored. Raises UploadRefused."""
    return _rule_of(kind)(kind, data)


def _rule_of(kind: Kind) -> Callable[[Kind, bytes], Checked]:
    """The rule of a kind. Only its parser is loaded: a process lives for one file."""
    if kind in PICTURES:
        from idp.adapters.inspection import pictures  # noqa: PLC0415

        return pictures.check
    if kind is Kind.PDF:
        from idp.adapters.inspection import pdf  # noqa: PLC0415

        return pdf.check
    if kind in {Kind.DOCX, Kind.XLSX}:
        from idp.adapters.inspection import office_xml  # noqa: PLC0415

        return office_xml.check
    from idp.adapters.inspection import office_binary  # noqa: PLC0415

    return office_binary.check


def _drawer(page: int, watermark: str) -> Callable[[Kind, bytes], Checked]:
    from idp.adapters.inspection import drawing  # noqa: PLC0415 - as above

    return lambda kind, data: Checked(Kind.JPG, drawing.draw(kind, data, page=page, watermark=watermark))


def _bound() -> None:
    """Little memory, little time, no file written, no core left behind, no process made."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
