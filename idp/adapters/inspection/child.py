"""Parses a file in a process of its own, by few at once; a process that dies takes nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any, Final

from idp.adapters.inspection.kinds import Kind, looks_like
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

AT_ONCE: Final = 2
"""Files parsed at once by one process of the server; each may take 768 MB for seconds."""
PATIENCE: Final = 20.0
"""Seconds that a file waits for its turn."""
_SECONDS: Final = 20.0
"""By the clock: a process that sleeps uses up no time of its own."""
_PROGRAM: Final = "idp.adapters.inspection.program"


class Inspector:
    """The way to the parsers; one for each process of the server."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def check(self, kind: Kind, data: bytes) -> Checked:
        """The file as it is to be stored; `kind` is what its name claims. Raises UploadRefused."""
        if not data:
            raise UploadRefused(Why.EMPTY)
        if not looks_like(kind, data):
            raise UploadRefused(Why.NOT_WHAT_IT_SAYS, "other first octets")
        told, made = self._run("check", kind, data)
        try:
            return Checked(Kind(told["kind"]), made or data, told["pages"])
        except (KeyError, ValueError):
            raise UploadRefused(Why.TOO_MUCH_INSIDE, "the parser talks nonsense") from None

    def draw(self, kind: Kind, data: bytes, *, page: int = 1, watermark: str = "") -> bytes:
        """A page of a PDF (from 1), or a stored picture, as a JPEG to look at. Raises UploadRefused."""
        return self._run("draw", kind, data, str(page), watermark)[1]

    def _run(
        self, what: str, kind: Kind, data: bytes, page: str = "0", watermark: str = ""
    ) -> tuple[dict[str, Any], bytes]:
        if not self._places.acquire(timeout=PATIENCE):
            raise UploadRefused(Why.CROWDED)
        try:
            # -I: no variable, no directory of whoever started the server changes what is loaded.
            done = subprocess.run(  # noqa: S603 - our own interpreter and program, no shell
                [sys.executable, "-I", "-m", _PROGRAM, what, kind.value, page, watermark],
                input=data,
                capture_output=True,
                timeout=_SECONDS,
                env={},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UploadRefused(Why.TOO_MUCH_INSIDE, "it took too long") from None
        finally:
            self._places.release()
        return _answer(done)


def _answer(done: subprocess.CompletedProcess[bytes]) -> tuple[dict[str, Any], bytes]:
    line, _, made = done.stdout.partition(b"\n")
    if done.returncode or not line:
        # It was ended by one of its bounds, or its parser broke it.
        raise UploadRefused(Why.TOO_MUCH_INSIDE, f"the parser ended with {done.returncode}")
    try:
        told: dict[str, Any] = dict(json.loads(line))
        refused = Why(told["why"]) if "why" in told else None
    except (ValueError, TypeError):
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "the parser talks nonsense") from None
    if refused:
        raise UploadRefused(refused, str(told.get("detail", "")))
    return told, made
