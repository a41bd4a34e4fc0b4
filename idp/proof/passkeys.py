"""Passkeys (WebAuthn Level 3): adding one, and proving oneself with one.

User verification is always asked for, so that a passkey is two factors by itself: something one has,
opened by something one knows or is. A challenge is kept here, bound to the browser and to what it is
for, and is taken by the first answer, right or wrong. The counter decides at last, by one statement:
of two authenticators with the same key the one behind is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from idp.accounts.factors import Passkey, find_passkey
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings, is_address
from idp.crypto import Vault, b64url, from_b64url, keyed_digest, new_token, same

CHALLENGE_LIFE = 300
"""Seconds somebody has to take his key out."""
_LONGEST_ANSWER = 20_000
_LONGEST_ID = 1023  # bytes (WebAuthn §7.1 step 25)
_SIGNING = "sign-in"
_WORD = re.compile(r"[a-z-]{1,20}")


class Why(StrEnum):
    """Why an answer proves nothing, as the sentence to show."""

    EXPIRED = "等待太久，或这一步已经完成过。请再试一次"
    UNREADABLE = "没有收到通行密钥的回答，请再试一次"
    WRONG = "通行密钥验证没有通过，请再试一次，或换一种方式"
    UNKNOWN = "这个通行密钥没有登记，或已被移除。请换一个通行密钥，或换一种方式"
    NOT_YOURS = "这个通行密钥属于另一个账号。请使用本账号的通行密钥，或换一种方式"
    CLONED = "这个通行密钥可能被复制过，为保护账号已拒绝。请换一种方式登录，再移除它"
    TAKEN = "这个通行密钥已经添加过了"


class PasskeyRefused(Exception):
    """The answer of an authenticator proves nothing; the message is the sentence to show (Chinese).

    `passkey` is the one it named, where that is known.
    """

    def __init__(self, why: Why, passkey: Passkey | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.passkey = passkey


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge for a page: its id for a hidden field, and the options for the browser as JSON."""

    id: str
    options: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """Where passkeys are asked for and checked: one site, one browser.

    `origins` are those of pages beside our own that may prove with a passkey of this site: an app's, on the
    same host. They prove only, and add none.
    """

    store: EphemeralStore
    settings: Settings
    vault: Vault
    browser: str
    origins: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether this installation's address can have passkeys: they belong to a host name, not to an IP."""
        return not is_address(self._host)

    def ask_to_add(self, account: str, *, label: str, present: Sequence[Passkey]) -> Asked:
        """What a browser needs to make a passkey for `account`, on none of the authenticators `present`."""
        import webauthn  # noqa: PLC0415 - 17 MB that a worker without passkeys has no use for
        from webauthn.helpers import structs  # noqa: PLC0415 - as said above

        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=self.settings.site_name,
            user_id=self._handle(account),
            user_name=label,
            user_display_name=label,
            timeout=CHALLENGE_LIFE * 1000,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(present),
        )
        return self._kept("add:" + account, options.challenge, webauthn.options_to_json(options))

    def check_added(self, challenge_id: str, answer: str, account: str) -> dict[str, Any]:
        """The verified fields of a new passkey, for :func:`idp.accounts.factors.add_passkey`.

        Raises PasskeyRefused.
        """
        import webauthn  # noqa: PLC0415 - as said above
        from webauthn import helpers  # noqa: PLC0415 - as said above

        challenge = self._taken("add:" + account, challenge_id)
        told = _parsed(answer)
        try:
            credential = helpers.parse_registration_credential_json(told)
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self.settings.issuer,
                require_user_verification=True,
            )
            # A key that no signature can be checked with is told now, not when somebody needs it.
            key = helpers.decode_credential_public_key(verified.credential_public_key)
            helpers.decoded_public_key_to_cryptography(key)
        except Exception:  # noqa: BLE001 - what a stranger sends breaks the library in more ways than it names
            raise PasskeyRefused(Why.WRONG) from None
        if _is_framed(credential.response.client_data_json) or len(verified.credential_id) > _LONGEST_ID:
            raise PasskeyRefused(Why.WRONG)
        return {
            "credential_id": verified.credential_id,
            "public_key": verified.credential_public_key,
            "sign_count": verified.sign_count,
            "transports": _transports(told),
            "backed_up": verified.credential_backed_up,
        }

    def ask_to_prove(self, account: str = "", present: Sequence[Passkey] = ()) -> Asked:
        """What a browser needs to prove itself by a passkey of `account`; of anybody, to begin a sign-in."""
        import webauthn  # noqa: PLC0415 - as said above
        from webauthn.helpers import structs  # noqa: PLC0415 - as said above

        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            timeout=CHALLENGE_LIFE * 1000,
            allow_credentials=_described(present),
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        kept_for = "prove:" + (account or _SIGNING)
        return self._kept(kept_for, options.challenge, webauthn.options_to_json(options))

    def check_proof(
        self, db: Session, challenge_id: str, answer: str, account: str = "", *, now: datetime
    ) -> Passkey:
        """The passkey that signed the challenge, its counter moved on. With `account`, one of that account.

        Raises PasskeyRefused.
        """
        challenge = self._taken("prove:" + (account or _SIGNING), challenge_id)
        told = _parsed(answer)
        passkey = find_passkey(db, _bytes(told.get("rawId")))
        if passkey is None:
            raise PasskeyRefused(Why.UNKNOWN)
        if (account and passkey.account != account) or not self._names(
            told, passkey.account, sure=not account
        ):
            raise PasskeyRefused(Why.NOT_YOURS)
        count = self._signed_count(told, challenge, passkey)
        moved = db.execute(
            update(Passkey)
            .where(
                Passkey.id == passkey.id,
                (Passkey.sign_count < count) | ((Passkey.sign_count == 0) & (count == 0)),
            )
            .values(sign_count=count, last_used_at=now),
            execution_options={"synchronize_session": False},
        )
        if not moved.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
            # Its owner may have removed it while it was being used: that is no copy.
            is_there = db.scalar(select(exists().where(Passkey.id == passkey.id)))
            raise PasskeyRefused(Why.CLONED if is_there else Why.UNKNOWN, passkey)
        return passkey

    def _signed_count(self, told: dict[str, Any], challenge: bytes, passkey: Passkey) -> int:
        """The counter in what the authenticator signed. Raises PasskeyRefused."""
        import webauthn  # noqa: PLC0415 - as said above
        from webauthn import helpers  # noqa: PLC0415 - as said above

        try:
            credential = helpers.parse_authentication_credential_json(told)
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=[self.settings.issuer, *self.origins],
                credential_public_key=passkey.public_key,
                # The signature first: only then is it this authenticator's counter that is judged.
                credential_current_sign_count=-1,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - as said above
            raise PasskeyRefused(Why.WRONG, passkey) from None
        if _is_framed(credential.response.client_data_json):
            raise PasskeyRefused(Why.WRONG, passkey)
        return verified.new_sign_count

    @property
    def _host(self) -> str:
        return urlsplit(self.settings.issuer).hostname or ""

    def _handle(self, account: str) -> bytes:
        """What an authenticator files the account under: says nothing about it (WebAuthn §14.6.1)."""
        return self.vault.index("passkey_user", account)

    def _names(self, told: dict[str, Any], account: str, *, sure: bool) -> bool:
        """Whether the user handle is the account's; with `sure` there must be one (WebAuthn §7.2 step 6)."""
        response = told.get("response")
        handle = response.get("userHandle") if isinstance(response, dict) else None
        if handle is None:
            return not sure
        return _bytes(handle) in self.vault.indexes("passkey_user", account)

    def _kept(self, purpose: str, challenge: bytes, options: str) -> Asked:
        challenge_id = new_token(16)
        kept = {"for": self._bound(purpose), "challenge": b64url(challenge)}
        self.store.put(_place(challenge_id), json.dumps(kept).encode(), ttl=CHALLENGE_LIFE)
        return Asked(challenge_id, options)

    def _taken(self, purpose: str, challenge_id: str) -> bytes:
        kept = self.store.take(_place(challenge_id)) if challenge_id else None
        record = json.loads(kept) if kept else None
        if record is None or not same(record["for"], self._bound(purpose)):
            raise PasskeyRefused(Why.EXPIRED)
        return _bytes(record["challenge"])

    def _bound(self, purpose: str) -> str:
        return keyed_digest(b"passkey-challenge", purpose, self.browser)


def _place(challenge_id: str) -> str:
    return f"passkey:{challenge_id[:64]}"


def _described(passkeys: Sequence[Passkey]) -> list[Any]:
    from webauthn.helpers import structs  # noqa: PLC0415 - as said above

    known = {transport.value: transport for transport in structs.AuthenticatorTransport}
    return [
        structs.PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[known[name] for name in passkey.transports if name in known]
        )
        for passkey in passkeys
    ]


def _parsed(answer: str) -> dict[str, Any]:
    """What the browser sent. Raises PasskeyRefused."""
    try:
        told = json.loads(answer) if 0 < len(answer) <= _LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise PasskeyRefused(Why.UNREADABLE)
    return told


def _is_framed(verified_client_data: bytes) -> bool:
    """Whether the ceremony ran in somebody else's page (WebAuthn §7.1 step 10, §7.2 step 14)."""
    return json.loads(verified_client_data).get("crossOrigin", False) is not False


def _transports(told: dict[str, Any]) -> list[str]:
    """By what the browser says the authenticator is reached: nobody signs it, so only words are kept."""
    named = told["response"].get("transports")
    words = named[:8] if isinstance(named, list) else []
    return [word for word in words if isinstance(word, str) and _WORD.fullmatch(word)]


def _bytes(text: Any) -> bytes:
    """What URL-safe base64 says; b"" of anything else."""
    try:
        return from_b64url(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
