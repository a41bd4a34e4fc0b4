"""The application of `bench.provider` in a granian process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from bench.installation import Installation
from bench.processes import family
from idp.config import as_variables, child_environment

_START_TRIES = 60
THREADS = 8


@contextmanager
def served(here: Installation, *, threads: int = THREADS) -> Iterator[int]:
    """The process id of a granian with one worker that answers at the issuer's port.

    Raises RuntimeError with its last words if it does not come up.
    """
    port = urlsplit(here.settings.issuer).port
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", str(threads), "--no-ws"]
    command += ["--http", "1", "--log-level", "warning", "--factory", "bench.provider:build"]
    environment = child_environment(as_variables(here.settings))
    log_path = Path(here.settings.var_dir) / "provider.log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,  # noqa: S603 - our own
    ):
        try:
            _wait_until_up(f"{here.settings.issuer}/healthz", process, log_path)
            yield process.pid
        finally:
            process.terminate()
            _end(process)


def worker_of(server: int) -> int:
    """The process id of the worker below a granian."""
    return family(server)[-1]


def _wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(_START_TRIES):
        try:
            with urlopen(address, timeout=5):  # noqa: S310 - an address of ours
                return
        except (URLError, ConnectionError):
            if process.poll() is not None:
                break
        _pause(process)
    raise RuntimeError("The provider did not start: " + log.read_text(encoding="utf-8")[-2000:])


def _pause(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
