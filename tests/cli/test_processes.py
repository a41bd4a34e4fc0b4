"""Children of `idp demo`: none outlives it, and one that ends is named with its last words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from idp.cli.desk import Failed
from idp.cli.processes import Children
from tests.running_demo import wait_for

SLEEPS = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
WITH_A_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {SLEEPS}"


def start(children: Children, name: str, program: str) -> int:
    """Start a Python program and wait until it says that it is ready; its process id."""
    children.start(name, [sys.executable, "-c", program], {})
    wait_for(lambda: "ready" in children.running[-1].tail(), 20)
    return children.running[-1].process.pid


def in_session(leader: int) -> list[int]:
    """The processes of the session that a child leads."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(process.name)) == leader:
                found.append(int(process.name))
    return found


def test_all_are_stopped_when_the_block_ends(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        leaders = [start(children, "a", SLEEPS), start(children, "b", SLEEPS)]
        children.check()
    assert [in_session(leader) for leader in leaders] == [[], []]


def test_what_a_child_left_behind_is_stopped_too(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        leader = start(children, "server", WITH_A_CHILD)
        wait_for(lambda: len(in_session(leader)) == 2, 20)
    wait_for(lambda: in_session(leader) == [], 5)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.cli.processes.STOP_SECONDS", 0.2)
    with Children(tmp_path) as children:
        leader = start(children, "stubborn", STUBBORN)
    assert in_session(leader) == []


def test_a_child_that_ended_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        start(children, "healthy", SLEEPS)
        children.start("portal", [sys.executable, "-c", "import sys; sys.exit('no records')"], {})
        children.running[-1].process.wait(20)
        with pytest.raises(Failed, match=r"(?s)portal ended with 1.*no records"):
            children.check()


def test_children_go_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from idp.cli.processes import Children
children = Children(Path({str(tmp_path)!r}))
children.start("child", [sys.executable, "-c", {SLEEPS!r}], {{}})
print(children.running[0].process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Before its own first line a child has not yet said with whom it wants to stop.
        wait_for(lambda: "ready" in (tmp_path / "child.log").read_text(), 20)
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: in_session(child) == [], 10)
