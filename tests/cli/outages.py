"""A database that is away when a worker begins."""

from __future__ import annotations

import threading
from pathlib import Path


class ComesBack(threading.Event):
    """A stop button that waits for nobody: the database comes back after a pause, the next is the last."""

    def __init__(self, home: Path, away: Path) -> None:
        super().__init__()
        self.home, self.away, self.pauses = home, away, list[float | None]()

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        if len(self.pauses) == 1:
            self.away.rename(self.home)
        else:
            self.set()
        return self.is_set()
