"""Child processes that live and die with this one.

Each child leads a session of its own, so that Ctrl-C in the terminal reaches this process alone,
which then stops them in order; where the system offers it, a child is told to stop when this process
is killed. What a child says goes to a log file.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from idp.cli.desk import Failed

STOP_SECONDS = 15.0
_TAIL_LINES = 20
_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), Linux


@dataclass(frozen=True, slots=True)
class Child:
    """A running child and where its words go."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        """Its last words."""
        with suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:])
        return ""


@dataclass(slots=True)
class Children:
    """The children of this process; leaving the block stops them all."""

    log_dir: Path
    running: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a child that writes to `<name>.log`."""
        log = self.log_dir / f"{name}.log"
        with log.open("wb") as words:
            process = subprocess.Popen(  # noqa: S603 - commands of our own
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_stop_with_parent,  # noqa: PLW1509 - there is one thread, and nothing else does it
            )
        self.running.append(Child(name, process, log))

    def check(self) -> None:
        """Return while all run. Raises Failed with the name and the last words of one that ended."""
        for child in self.running:
            code = child.process.poll()
            if code is not None:
                raise Failed(f"{child.name} ended with {code}. The end of {child.log}:\n{child.tail()}")

    def stop(self) -> None:
        """Stop all, the last one started first; who does not stop in time is killed with all he started."""
        stopping, self.running = self.running[::-1], []
        for child in stopping:
            with suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in stopping:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            # Also after a clean end: a worker of a server that was killed would keep the port.
            with suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _stop_with_parent() -> None:
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
