"""What may be a password, and how it is kept (SECURITY 26 to 28; X2)."""

from __future__ import annotations

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.accounts.passwords import (
    PasswordHasher,
    PasswordRefused,
    TooBusy,
    check_new_password,
    common_passwords,
)
from idp.config import Settings, described
from tests.conftest import make_settings

SETTINGS = make_settings(database_url="sqlite://")
HASHER = PasswordHasher(SETTINGS)
ABOUT = ("zhao_xl", "13800000001", "99010019930105026X")


def refusal(password: str, about: tuple[str, ...] = ABOUT) -> str:
    """The sentence said of a new password, empty if it may be set."""
    try:
        check_new_password(password, settings=SETTINGS, about=about)
    except PasswordRefused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    "password",
    [
        *("Kite-flying 42", "correct horse battery staple", "山高月小水落石出2", "x1" * 64, "  8 spaces  "),
        "a1" + "\N{GRINNING FACE}" * 6,
    ],
)
def test_passwords_that_may_be_set(password: str) -> None:
    assert refusal(password) == ""


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("a1b2c3d", "密码至少 8 个字符，目前是 7 个"),
        ("x1" * 64 + "y", "密码最多 128 个字符，目前是 129 个"),
        ("12345678901", "密码要包含数字、字母、符号中的至少两种"),
        ("abcdefghijk", "密码要包含数字、字母、符号中的至少两种"),
        ("passw0rd", "这个密码太常见，容易被猜到，请换一个"),
        ("PASSWORD1", "这个密码太常见，容易被猜到，请换一个"),
        ("woaini1314", "这个密码太常见，容易被猜到，请换一个"),
        ("a123456789", "这个密码太常见，容易被猜到，请换一个"),
        ("Tongxing@2026", "这个密码太常见，容易被猜到，请换一个"),
        ("吉林20260101", "这个密码太常见，容易被猜到，请换一个"),
        ("my-ZHAO_XL-1", "密码里不能包含账号、手机号或证件号码"),
        ("tel13800000001", "密码里不能包含账号、手机号或证件号码"),
        ("99010019930105026x!", "密码里不能包含账号、手机号或证件号码"),
    ],
)
def test_passwords_that_may_not_and_why(password: str, sentence: str) -> None:
    assert refusal(password) == sentence


@given(st.text(max_size=150))
@settings(max_examples=50, deadline=None)
def test_any_text_is_judged_without_a_fault(password: str) -> None:
    assert refusal(password) == "" or refusal(password).startswith(("密码", "这个密码"))


def test_there_are_many_common_passwords() -> None:
    assert len(common_passwords()) > 10_000


def test_equal_passwords_have_different_argon2id_hashes() -> None:
    first, second = HASHER.hash("Kite-flying 42"), HASHER.hash("Kite-flying 42")
    assert first != second
    assert first.startswith("$argon2id$")
    assert HASHER.verify(first, "Kite-flying 42").right
    assert HASHER.verify(second, "Kite-flying 42").rehashed is None


def test_production_hashes_are_strong_by_default() -> None:
    fields = described(Settings)
    memory, passes = fields["argon2_memory_kib"].default, fields["argon2_time"].default
    assert (memory >= 19 * 1024, passes >= 2) == (True, True)


@pytest.mark.parametrize(
    "other",
    ["secret\0 x ", "secret\0x", "secret", "Secret\0 x", "secret\0 x\0", "", "x" * 600],
)
def test_every_character_matters(other: str) -> None:
    assert not HASHER.verify(HASHER.hash("secret\0 x"), other).right


def test_what_a_keyboard_composes_differently_is_the_same() -> None:
    assert HASHER.verify(HASHER.hash("Ko\u0308der 42"), "K\u00f6der 42").right


def test_the_128th_character_matters() -> None:
    long = "x" * 127
    assert not HASHER.verify(HASHER.hash(long + "a"), long + "b").right


def test_nothing_is_ever_right_without_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        looked_at.append(password)
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    assert not HASHER.verify(None, "x").right
    assert not HASHER.verify(None, "").right
    assert not HASHER.verify("not a hash", "x").right
    assert looked_at == ["x", "", "x"]


def test_a_hundred_kilobytes_are_not_fed_to_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    monkeypatch.setattr(
        argon2.PasswordHasher, "verify", lambda _self, _stored, password: fed.append(password)
    )
    HASHER.verify(None, "x" * 100_000)
    assert fed == [""]


def test_a_full_house_turns_away_and_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = PasswordHasher(make_settings(database_url="sqlite://", hash_slots=1, hash_queue=0))
    stored = narrow.hash("x")
    real = argon2.PasswordHasher.verify

    def meanwhile(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        with pytest.raises(TooBusy):
            narrow.hash("another")
        return real(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", meanwhile)
    assert narrow.verify(stored, "x").right
    assert not narrow.verify(stored, "y").right
    assert narrow.hash("x")
