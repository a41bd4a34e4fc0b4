"""`idp demo`: everything on this machine with an invented world; Ctrl-C stops all of it.

What it makes lies in the var directory: the embedded databases, secrets of mode 0600, logs, and
``demo.env`` with the environment of the running demo.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import httpx2

from idp import migrations
from idp.access.clients import announce_change
from idp.access.keys import ensure_keys
from idp.accounts.directory import AlreadyTaken
from idp.accounts.passwords import PasswordHasher
from idp.cli import demo_programs
from idp.cli.demo_appeals import AppealSeeder
from idp.cli.demo_programs import Program
from idp.cli.desk import Failed, Refused, connected, table
from idp.cli.processes import Children, is_free
from idp.config import Settings, child_environment, kept_secret, load_demo_settings
from idp.db import begin_write
from idp.demo import addresses, world
from idp.demo.seed import Seeder, register_apps, register_portal

START_SECONDS = 90.0
_LOOK_SECONDS = 0.2


def run_demo() -> None:
    """Start the provider, its worker, the portals and the phone app with demo data, on loopback."""
    # Databases, logs and secrets alike: nobody else on this machine reads them.
    os.umask(0o077)
    settings = load_demo_settings()
    _check_ports(settings)
    stopping = _stop_on_signal()
    with ExitStack() as stack:
        stack.enter_context(_alone_in(settings.var_dir))
        secret = kept_secret(settings.var_dir / "social_insurance_client.secret", secrets.token_urlsafe(32))
        _prepare(settings, secret)
        programs = demo_programs.programs(settings, portal_secret=secret)
        for name, variables in demo_programs.environments(programs).items():
            _write_environment(settings.var_dir / f"{name}.env", variables)
        children = stack.enter_context(Children(_log_dir(settings)))
        _start(children, programs)
        _wait_until_all_answer(children, settings, stopping)
        if not stopping.is_set():
            print("\n".join(_welcome(settings)), flush=True)
        while not stopping.wait(_LOOK_SECONDS):
            children.check()
        print("stopping", flush=True)


def _check_ports(settings: Settings) -> None:
    for name, port in addresses.ports(settings.demo_port_base).items():
        if not is_free(port):
            raise Refused(
                f"Port {port} ({name}) is in use. Stop what listens there, or choose others: "
                "IDP_DEMO_PORT_BASE=9000 make demo"
            )


def _prepare(settings: Settings, secret: str) -> None:
    """Bring the embedded database to this program's schema and make the demo world true in it."""
    migrations.upgrade(settings.database_url)
    migrations.mark_demo(settings.database_url)
    with connected(settings) as desk:
        with desk.transaction() as db:
            ensure_keys(db, desk.backends.vault, now=desk.now)
        try:
            with desk.transaction() as db:
                begin_write(db)
                Seeder(db, desk.backends.vault, PasswordHasher(settings), desk.now).seed()
                here = desk.backends
                AppealSeeder(db, here.vault, here.trail, settings, desk.now).seed()
                register_portal(db, secret=secret, port_base=settings.demo_port_base, now=desk.now)
                register_apps(db, port_base=settings.demo_port_base, now=desk.now)
        except AlreadyTaken:
            raise Refused(
                f"Somebody in {settings.var_dir} has a name or number of the demo world. "
                "Remove the directory to begin anew."
            ) from None
        announce_change(desk.backends.store)


def _write_environment(path: Path, variables: Mapping[str, str]) -> None:
    """NAME=value lines a shell can source; they hold secrets, so the owner alone reads them."""
    lines = [f"{name}={shlex.quote(value) if value else ''}\n" for name, value in variables.items()]
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(lines), encoding="utf-8")


def _start(children: Children, programs: Sequence[Program]) -> None:
    for program in programs:
        environment = child_environment(program.variables)
        children.start(program.name, [sys.executable, "-m", *program.module], environment)


def _wait_until_all_answer(children: Children, settings: Settings, stopping: threading.Event) -> None:
    silent = addresses.urls(settings.demo_port_base)
    deadline = time.monotonic() + START_SECONDS
    while silent and not stopping.is_set():
        children.check()
        silent = {name: url for name, url in silent.items() if not _answers(url)}
        if silent and time.monotonic() > deadline:
            raise Failed(
                f"No answer after {START_SECONDS:.0f} s from {', '.join(silent)}: see {children.log_dir}."
            )
        if silent:
            stopping.wait(_LOOK_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url + "/", timeout=5, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _welcome(settings: Settings) -> Iterator[str]:
    """The addresses and accounts, for whoever started it."""
    yield ""
    yield "通行 is running. Everything is on this machine, everybody is invented. Ctrl-C stops it."
    yield ""
    yield from table(("应用 application", "地址 address"), addresses.urls(settings.demo_port_base).items())
    yield ""
    yield from _welcome_to_the_phone(settings)
    yield ""
    legal = (
        (c.name, c.account or "-", c.uscc, world.LEGAL_PASSWORD if c.account else "-", c.case)
        for c in world.COMPANIES
    )
    yield from table(("法人登录 legal", "account", "credit code", "password", "case"), legal)
    yield ""
    operator = (
        (person.name, world.company(m.company).account or "-", person.phone, m.password, m.case)
        for m in world.MANDATES
        for person in [world.person(m.person)]
    )
    yield from table(("经办人登录 operator", "enterprise", "account", "password", "case"), operator)
    yield ""
    people = ((p.name, p.key, p.phone, world.PERSON_PASSWORD, p.case) for p in world.PEOPLE)
    yield from table(("个人登录 person", "account", "phone", "password", "case"), people)
    yield ""
    staff = ((m.name, m.account, world.STAFF_PASSWORD, m.totp_secret, m.role.value) for m in world.STAFF)
    yield from table(("工作台 staff", "account", "password", "TOTP secret", "role"), staff)
    yield ""
    yield f"The console: {settings.issuer}/staff"
    yield f"What was sent by SMS: {settings.issuer}/demo/outbox.json"
    yield f"All of it for a tool: {settings.issuer}/demo/manifest.json"
    yield f"The idp commands beside it: set -a; . {shlex.quote(str(settings.var_dir / 'demo.env'))}"
    yield f"Logs: {settings.var_dir / 'log'}"


def _welcome_to_the_phone(settings: Settings) -> Iterator[str]:
    phone = addresses.app_urls(settings.demo_port_base)["phone"]
    yield "Scan to log in: open the phone app in a second browser window, sign in as a person, 扫一扫."
    yield f"  吉事办 {phone}/ · 电子社保卡 {phone}/social-card/ · 电子营业执照 {phone}/licence/"


def _log_dir(settings: Settings) -> Path:
    log_dir = settings.var_dir / "log"
    log_dir.mkdir(mode=0o700, exist_ok=True)
    return log_dir


@contextmanager
def _alone_in(var: Path) -> Iterator[None]:
    """Hold the var directory: two demos in one would change each other's world. Raises Refused."""
    descriptor = os.open(var / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Refused(f"A demo is running in {var} already.") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _stop_on_signal() -> threading.Event:
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup it shall outlive its terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)
    return stopping
