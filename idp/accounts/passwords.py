"""Passwords: what is accepted (X2), how they are kept, and a bound on hashing.

Argon2id takes memory on purpose, so only a few hashes run at once in a process; a few more may
wait, and past that :class:`TooBusy` says so instead of exhausting memory. A check against no hash
at all costs the same time as a real one, so that an unknown account looks like a wrong password.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import ParamSpec, TypeVar

import argon2

from idp.config import Settings
from idp.crypto import new_token

Given = ParamSpec("Given")
Made = TypeVar("Made")
_OBVIOUS_CONTEXT = ("tongxing", "jilin", "吉林", "password", "mima")


class TooBusy(Exception):
    """More password checks at once than this process takes; try again in a second."""


class PasswordRefused(Exception):
    """The new password does not meet the policy; the message is the sentence to show (Chinese)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and a fresh hash where the stored one has outdated parameters."""

    right: bool
    rehashed: str | None = None


class PasswordHasher:
    """Argon2id with the installation's parameters, bounded in parallel use."""

    def __init__(self, settings: Settings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
        )
        # Threads of their own: what a hash took stays with its thread, so a hash in each thread that
        # serves requests would keep as many times its memory.
        self._slots = ThreadPoolExecutor(settings.hash_slots, thread_name_prefix="argon2")
        self._room = threading.BoundedSemaphore(settings.hash_slots + settings.hash_queue)
        self._longest = settings.password_max
        self._dummy = self._argon2.hash(new_token())

    def expect_room(self) -> None:
        """Return if a check would be taken now: asked before a try is counted, so a crowd costs nobody one.

        Raises TooBusy.
        """
        if not self._room.acquire(blocking=False):
            raise TooBusy
        self._room.release()

    def hash(self, password: str) -> str:
        """The hash to store. Raises TooBusy."""
        return self._in_slot(self._argon2.hash, _canonical(password))

    def verify(self, stored: str | None, password: str) -> Verdict:
        """Whether `password` is the one `stored` was made of; with None, the same work for a sure no.

        Raises TooBusy.
        """
        # Far past the longest allowed password nothing can match: refuse before feeding it to the hash.
        supplied = _canonical(password) if len(password) <= self._longest * 4 else ""
        return self._in_slot(self._verdict, stored, supplied)

    def _verdict(self, stored: str | None, supplied: str) -> Verdict:
        try:
            self._argon2.verify(stored or self._dummy, supplied)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return Verdict(right=False)
        if stored is None:
            return Verdict(right=False)
        outdated = self._argon2.check_needs_rehash(stored)
        return Verdict(right=True, rehashed=self._argon2.hash(supplied) if outdated else None)

    def _in_slot(self, work: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made:
        if not self._room.acquire(blocking=False):
            raise TooBusy
        try:
            return self._slots.submit(work, *args, **kwargs).result()
        finally:
            self._room.release()


def check_new_password(password: str, *, settings: Settings, about: tuple[str, ...]) -> None:
    """Return if `password` may be set; `about` are the account's own names, phone and ID number.

    Raises PasswordRefused with the sentence that says what to change (X2).
    """
    canonical = _canonical(password)
    if len(canonical) < settings.password_min:
        raise PasswordRefused(f"密码至少 {settings.password_min} 个字符，目前是 {len(canonical)} 个")
    if len(canonical) > settings.password_max:
        raise PasswordRefused(f"密码最多 {settings.password_max} 个字符，目前是 {len(canonical)} 个")
    if _kinds(canonical) < settings.password_kinds:
        raise PasswordRefused("密码要包含数字、字母、符号中的至少两种")
    lowered = canonical.lower()
    if any(len(word) >= 4 and word.lower() in lowered for word in about):
        raise PasswordRefused("密码里不能包含账号、手机号或证件号码")
    if lowered in common_passwords() or any(_is_mostly(lowered, word) for word in _OBVIOUS_CONTEXT):
        raise PasswordRefused("这个密码太常见，容易被猜到，请换一个")


def _canonical(password: str) -> str:
    # NFC only: what a keyboard composes differently is the same password; nothing is trimmed.
    return unicodedata.normalize("NFC", password)


def _kinds(password: str) -> int:
    digits = any(character.isdigit() for character in password)
    letters = any(character.isalpha() for character in password)
    symbols = any(not character.isalnum() for character in password)
    return digits + letters + symbols


def _is_mostly(password: str, word: str) -> bool:
    rest = password.replace(word, "", 1)
    return rest != password and (len(rest) <= 4 or not any(character.isalpha() for character in rest))


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Passwords that everybody tries first: an international list and the usual Chinese ones."""
    # Its lists take 13 MB: only a process in which somebody chooses a password has them.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - as said above

    chinese = resources.files("idp.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(FREQUENCY_LISTS["passwords"]) | frozenset(chinese.split())
