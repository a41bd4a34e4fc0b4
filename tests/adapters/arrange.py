"""What the tests of the ephemeral stores arrange: a clock of their own, and many callers at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


class Clock:
    """Epoch seconds that move only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def at_once(times: int, act: Callable[[int], Answer]) -> list[Answer]:
    """What `act` gave to `times` threads that all began together."""
    start = threading.Barrier(times)

    def run(number: int) -> Answer:
        start.wait(timeout=20)
        return act(number)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
