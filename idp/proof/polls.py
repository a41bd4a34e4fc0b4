"""How often a waiting page may ask about its ticket: one that obeys `interval` never meets this."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime

A_SECOND = 5
"""Questions of one browser about one ticket that one process answers in a second."""


class Polls:
    """Counts the questions of the second at hand, by ticket and secret; of earlier ones nothing is kept.

    Whoever photographed a code knows the ticket, and must not use up the turns of the page that shows it.
    """

    def __init__(self) -> None:
        self._second = 0
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def allow(self, ticket_id: str, secret: str, *, now: datetime) -> bool:
        """Count a question about this ticket with this secret; False if there were too many."""
        second = int(now.timestamp())
        with self._lock:
            if second != self._second:
                self._second = second
                self._asked.clear()
            asked = (ticket_id, secret)
            self._asked[asked] += 1
            return self._asked[asked] <= A_SECOND
