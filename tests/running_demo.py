"""The demo as `make demo` starts it, running on free ports, shared by all tests and all workers.

The first test that asks starts it, the last worker that asked stops it; whoever comes in between
finds it by a file that is read and written under a lock. Its end is checked: no process of it may be
left, and its ports must be free.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from idp.cli import main
from idp.cli.processes import is_free

START_SECONDS = 180
STOP_SECONDS = 60
# Journeys sign in hundreds of times: the hashes are as cheap as the settings take them.
CHEAP_HASHES = {"IDP_ARGON2_MEMORY_KIB": "8192", "IDP_ARGON2_TIME": "1"}
APPLICATIONS = 6
"""How many ports a demo takes at most, one after the other."""
# The demo is nobody's child, as the worker that starts it may be gone before the others have finished.
LAUNCHER = """
import subprocess, sys
with open(sys.argv[1], "wb") as words:
    demo = subprocess.Popen(sys.argv[2:], stdout=words, stderr=words, start_new_session=True)
print(demo.pid)
"""


@dataclass(frozen=True)
class RunningDemo:
    """A running demo: its manifest, and where it keeps its things."""

    manifest: dict[str, Any]
    var: Path
    pid: int

    @property
    def issuer(self) -> str:
        """The provider's issuer."""
        return str(self.manifest["issuer"])

    def url(self, app: str) -> str:
        """The address of an application, no trailing slash."""
        return str(self.manifest["apps"][app])

    def account(self, kind: str, case: str = "live", **wanted: Any) -> dict[str, Any]:
        """The first account of the manifest with this case and these values."""
        wanted = {"case": case, **wanted}
        accounts: list[dict[str, Any]] = self.manifest["accounts"][kind]
        return next(account for account in accounts if wanted.items() <= account.items())

    def captcha(self, captcha_id: str) -> str:
        """The answer to a captcha that a page shows."""
        answer = httpx2.get(f"{self.issuer}/demo/captcha/{captcha_id}.json", trust_env=False)
        return str(answer.raise_for_status().json()["answer"])

    def environment(self, name: str = "demo") -> dict[str, str]:
        """The variables of `<name>.env`: `demo`, or `social_insurance` for the portal's own."""
        lines = (self.var / f"{name}.env").read_text(encoding="utf-8").splitlines()
        return dict("".join(shlex.split(line)).split("=", 1) for line in lines)

    def idp(self, *arguments: str, stdin: str = "") -> Any:
        """Run an `idp` command beside the demo, in this process; what it prints as JSON."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.environment().items():
                here.setenv(name, value)
            here.setattr(sys, "stdin", io.StringIO(stdin))
            with pytest.raises(SystemExit) as left:
                main([*arguments, "--json"])
        assert not left.value.code, err.getvalue()
        return json.loads(out.getvalue())


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The demo, started once for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    # Workers of xdist have directories of their own below one of the run.
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "running_demo"
    shared.mkdir(exist_ok=True)
    with _state(shared) as state:
        if not state.get("users"):
            state |= {"users": 0, **start(shared / "var", shared / "output.log")}
        state["users"] += 1
        demo = RunningDemo(state["manifest"], Path(state["var"]), state["pid"])
    yield demo
    with _state(shared) as state:
        state["users"] -= 1
        if not state["users"]:
            stop(demo)


def start(var: Path, output: Path) -> dict[str, Any]:
    """Start a demo that outlives this process, and wait for its manifest."""
    base = _free_ports()
    launched = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(output), sys.executable, "-m", "idp.cli", "demo"],
        env={**os.environ, **CHEAP_HASHES, "IDP_VAR_DIR": str(var), "IDP_DEMO_PORT_BASE": str(base)},
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )

    def manifest() -> Any:
        assert processes_in(var), output.read_text(encoding="utf-8", errors="replace")[-3000:]
        with suppress(httpx2.HTTPError):
            answer = httpx2.get(f"http://localhost:{base}/demo/manifest.json", trust_env=False)
            return answer.json() if answer.status_code == 200 else None

    return {"pid": int(launched.stdout), "var": str(var), "manifest": wait_for(manifest, START_SECONDS)}


def stop(demo: RunningDemo) -> None:
    """Stop it as a service manager would, and make sure that nothing of it is left."""
    os.kill(demo.pid, signal.SIGTERM)
    wait_for(lambda: not processes_in(demo.var), STOP_SECONDS)
    assert not [url for url in demo.manifest["apps"].values() if _answers(url)]


def processes_in(var: Path) -> list[str]:
    """Command lines of every process that works in a demo's directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(var).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(look: Callable[[], Any], seconds: float) -> Any:
    """The first true answer of `look`. Raises AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return seen


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code > 0
    except httpx2.HTTPError:
        return False


def _free_ports() -> int:
    # Below the range from which the system gives ports to connections, which then linger there for a minute.
    bases = list(range(12_000, 32_000, APPLICATIONS))
    random.SystemRandom().shuffle(bases)  # two suites may have one seed
    return next(base for base in bases if all(is_free(base + number) for number in range(APPLICATIONS)))


@contextmanager
def _state(shared: Path) -> Iterator[dict[str, Any]]:
    """What the workers know together; one at a time reads and writes it."""
    with (shared / "state.json").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.seek(0)
        file.truncate()
        json.dump(state, file)
