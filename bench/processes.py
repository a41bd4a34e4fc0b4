"""CPU time and memory of processes, as the kernel counts them (Linux, /proc)."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg
from redis import Redis

from bench.installation import Installation

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds by who spent them."""

    provider: float
    postgres: float
    redis: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.provider + self.postgres + self.redis

    def since(self, before: Spent) -> Spent:
        """What was spent after `before`."""
        return Spent(*(getattr(self, part.name) - getattr(before, part.name) for part in fields(self)))

    def per(self, count: int) -> str:
        """Milliseconds an operation, in words."""
        parts = (f"{part.name} {getattr(self, part.name) / count * 1000:.2f}" for part in fields(self))
        return "CPU ms each: " + ", ".join(parts)


class Meter:
    """Reads what the provider, the backends of its database and Redis have spent.

    Redis counts whole: what others ask of the same server in the meantime is in it.
    """

    def __init__(self, here: Installation, provider: int) -> None:
        self._provider = provider
        self._database = here.settings.database_url if here.on_postgres else ""
        self._redis = _redis_pid(here.settings.redis_url.get_secret_value())

    def read(self) -> Spent:
        """CPU seconds so far."""
        return Spent(
            provider=sum(map(cpu_seconds, family(self._provider))),
            postgres=sum(map(cpu_seconds, _backends(self._database))),
            redis=cpu_seconds(self._redis) if self._redis else 0.0,
        )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its ended children; 0.0 once it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    # After the name in brackets the fields are numbers; utime, stime, cutime, cstime are the 14th to 17th.
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / _TICKS


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children")
    children = below.read_text(encoding="ascii").split() if below.exists() else []
    return [pid, *(one for child in children for one in family(int(child)))]


def resident_mb(pid: int, *, peak: bool = False) -> float:
    """Resident memory of a process in MB (10^6 bytes), now or at its highest."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(wanted):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _backends(database_url: str) -> list[int]:
    if not database_url:
        return []
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database_url) as connection:
        return [row[0] for row in connection.execute(query)]


def _redis_pid(url: str) -> int:
    if not url:
        return 0
    with Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])
