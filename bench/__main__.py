"""`python -m bench [name …]`: run the named benchmarks, or all, and print one JSON line a figure."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

from bench import growth, hash_bound, password_login, polling, protocol, second_step, waiting
from bench.figures import Figure

BENCHMARKS: dict[str, Callable[[], Iterator[Figure]]] = {
    "sign_on": protocol.sign_on,
    "fapi_sign_on": protocol.fapi_sign_on,
    "refresh": protocol.refresh,
    "introspection": protocol.introspection,
    "documents": protocol.documents,
    "password_login": password_login.run,
    "second_step": second_step.run,
    "growth": growth.run,
    "hash_bound": hash_bound.run,
    "waiting": waiting.run,
    "polling": polling.run,
}


def main(names: list[str]) -> int:
    """Run them in the order of the table; 2 if a name is unknown."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"Unknown: {', '.join(unknown)}. There are {', '.join(BENCHMARKS)}.\n")
        return 2
    # Ended from outside, it still takes its servers and databases away.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(1))
    for name, bench in BENCHMARKS.items():
        if not names or name in names:
            for figure in bench():
                print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
