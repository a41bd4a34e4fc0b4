"""Passkeys: what an authenticator says, right or bent (MISSION Y; WebAuthn Level 3 §7)."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from idp.accounts import factors
from idp.accounts.factors import Passkey
from idp.crypto import Vault, b64url
from idp.proof.passkeys import CHALLENGE_LIFE, Ceremony, PasskeyRefused, Why
from tests.adapters.arrange import at_once
from tests.authenticator import EDDSA, ES256, RS256, AnAuthenticator
from tests.proof.ceremonies import ACCOUNT, OTHER, a_ceremony, added, proved, tried, why, with_field
from tests.world import World


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_of_every_algorithm_is_added_and_proves_its_account(world: World, algorithm: int) -> None:
    key = AnAuthenticator(algorithm=algorithm)
    made = added(world, key)
    assert made.transports == ["internal"]
    found = tried(world, key)
    assert isinstance(found, Passkey)
    assert (found.id, found.account) == (made.id, ACCOUNT)
    with world.reading() as db:
        kept = db.get_one(Passkey, made.id)
        assert kept.sign_count == 1
        assert kept.last_used_at is not None


def test_a_browser_is_asked_for_verification_a_discoverable_key_and_none_that_is_there(world: World) -> None:
    made = added(world, AnAuthenticator())
    asked = json.loads(a_ceremony(world).ask_to_add(ACCOUNT, label="林小满", present=[made]).options)
    assert asked["rp"] == {"id": "localhost", "name": world.settings.site_name}
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in asked["excludeCredentials"]] == [b64url(made.credential_id)]
    assert [one["alg"] for one in asked["pubKeyCredParams"]] == [EDDSA, ES256, RS256]
    # The handle is filed with the authenticator, which shows it to whoever holds it.
    assert ACCOUNT not in asked["user"]["id"]
    proof = json.loads(a_ceremony(world).ask_to_prove(ACCOUNT, [made]).options)
    assert proof["userVerification"] == "required"
    assert [one["id"] for one in proof["allowCredentials"]] == [b64url(made.credential_id)]
    assert json.loads(a_ceremony(world).ask_to_prove().options)["allowCredentials"] == []


BENT: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://localhost:8000"},
    "an origin that begins alike": {"origin": "http://localhost:8000.evil.example"},
    "a list of origins": {"origin": ["http://localhost:8000"]},
    "another site": {"host": "evil.example"},
    "nobody present": {"present": False},
    "nobody verified": {"verified": False},
    "framed by another site": {"cross_origin": True},
    "framed, said in words": {"cross_origin": "true"},
    "another challenge": {"challenge": b64url(b"x" * 64)},
    "no challenge": {"challenge": ""},
    "a challenge that is a number": {"challenge": 7},
    "backed up though it cannot be": {"flags": 0x10},
}


def test_a_bent_ceremony_proves_nothing_and_adds_nothing(world: World) -> None:
    key = AnAuthenticator()
    added(world, key)
    for name, bent in BENT.items():
        assert tried(world, key, **bent) is Why.WRONG, name
        assert why(partial(added, world, AnAuthenticator(), **bent)) is Why.WRONG, name
    assert isinstance(tried(world, key), Passkey)


def test_an_answer_to_one_ceremony_is_none_to_the_other(world: World) -> None:
    key = AnAuthenticator()
    added(world, key)
    assert tried(world, key, type="webauthn.create") is Why.WRONG
    assert why(lambda: added(world, AnAuthenticator(), type="webauthn.get")) is Why.WRONG
    ceremony = a_ceremony(world)
    add, prove = ceremony.ask_to_add(ACCOUNT, label="x", present=()), ceremony.ask_to_prove(ACCOUNT)
    assert why(lambda: proved(world, add.id, key.get(prove.options), ACCOUNT)) is Why.EXPIRED
    prove = ceremony.ask_to_prove(ACCOUNT)
    assert why(lambda: ceremony.check_added(prove.id, key.create(add.options), ACCOUNT)) is Why.EXPIRED


def test_a_challenge_is_for_one_browser_one_purpose_and_one_account(world: World) -> None:
    key = AnAuthenticator()
    made = added(world, key)
    ceremony = a_ceremony(world)
    asked = ceremony.ask_to_prove(ACCOUNT, [made])
    assert (
        why(lambda: proved(world, asked.id, key.get(asked.options), ACCOUNT, browser="another"))
        is Why.EXPIRED
    )
    asked = ceremony.ask_to_prove(ACCOUNT, [made])
    assert why(lambda: proved(world, asked.id, key.get(asked.options))) is Why.EXPIRED
    asked = ceremony.ask_to_prove()
    assert why(lambda: proved(world, asked.id, key.get(asked.options), ACCOUNT)) is Why.EXPIRED
    asked = ceremony.ask_to_prove(OTHER)
    assert why(lambda: proved(world, asked.id, key.get(asked.options), ACCOUNT)) is Why.EXPIRED
    new = AnAuthenticator()
    asked = ceremony.ask_to_add(OTHER, label="x", present=())
    assert why(lambda: ceremony.check_added(asked.id, new.create(asked.options), ACCOUNT)) is Why.EXPIRED
    asked = ceremony.ask_to_add(ACCOUNT, label="x", present=())
    other = a_ceremony(world, "another")
    assert why(lambda: other.check_added(asked.id, new.create(asked.options), ACCOUNT)) is Why.EXPIRED


def test_a_challenge_is_taken_by_the_first_answer_right_or_wrong(world: World) -> None:
    key = AnAuthenticator()
    added(world, key)
    asked = a_ceremony(world).ask_to_prove()
    assert proved(world, asked.id, key.get(asked.options))
    assert why(lambda: proved(world, asked.id, key.get(asked.options))) is Why.EXPIRED
    asked = a_ceremony(world).ask_to_prove()
    assert why(lambda: proved(world, asked.id, "rubbish")) is Why.UNREADABLE
    assert why(lambda: proved(world, asked.id, key.get(asked.options))) is Why.EXPIRED


def test_of_many_who_send_one_answer_at_once_one_comes_in(world: World) -> None:
    key = AnAuthenticator(counts=False)
    added(world, key)
    asked = a_ceremony(world).ask_to_prove()
    answer = key.get(asked.options)

    def send(_number: int) -> Passkey | Why:
        try:
            return proved(world, asked.id, answer)
        except PasskeyRefused as refused:
            return refused.why

    told = at_once(8, send)
    assert sum(isinstance(one, Passkey) for one in told) == 1
    assert told.count(Why.EXPIRED) == 7


def test_a_challenge_waits_five_minutes(world: World, time_machine: Any) -> None:
    key = AnAuthenticator()
    added(world, key)
    if world.settings.redis_url.get_secret_value():
        # Redis keeps its own time: the life it was told is what can be asked.
        asked = a_ceremony(world).ask_to_prove()
        left = world.platform.store.remaining(f"passkey:{asked.id}")
        assert CHALLENGE_LIFE - 5 < left <= CHALLENGE_LIFE == 300
        return
    asked = a_ceremony(world).ask_to_prove()
    time_machine.move_to(world.now() + timedelta(seconds=CHALLENGE_LIFE + 1))
    assert why(lambda: proved(world, asked.id, key.get(asked.options))) is Why.EXPIRED


def test_of_what_a_browser_says_about_reaching_a_key_only_words_are_kept(world: World) -> None:
    said = ["usb", "smart-card", 7, None, ["nfc"], "\ud800", "<b>", "x" * 21, "internal"]
    assert added(world, AnAuthenticator(), transports=said).transports == ["usb", "smart-card"]
    assert added(world, AnAuthenticator(), transports="usb").transports == []


def test_a_key_nobody_registered_is_told_so(world: World) -> None:
    key = AnAuthenticator()
    asked = a_ceremony(world).ask_to_add(ACCOUNT, label="x", present=())
    key.create(asked.options)
    assert tried(world, key) is Why.UNKNOWN


def test_another_accounts_key_proves_nothing(world: World) -> None:
    mine, theirs = AnAuthenticator(), AnAuthenticator()
    added(world, mine)
    added(world, theirs, OTHER)
    asked = a_ceremony(world).ask_to_prove(ACCOUNT)
    assert why(lambda: proved(world, asked.id, theirs.get(asked.options), ACCOUNT)) is Why.NOT_YOURS
    # A known credential's id with another key's signature.
    forged = AnAuthenticator(credentials=theirs.cloned().credentials)
    forged.credentials[0].id = mine.credentials[0].id
    assert tried(world, forged) is Why.NOT_YOURS
    assert tried(world, forged, user_handle=mine.credentials[0].user_handle) is Why.WRONG
    assert isinstance(tried(world, mine), Passkey)


def test_the_user_handle_is_the_accounts_and_beginning_a_sign_in_needs_it(world: World) -> None:
    mine, theirs = AnAuthenticator(), AnAuthenticator()
    made = added(world, mine)
    added(world, theirs, OTHER)
    assert tried(world, mine, user_handle=theirs.credentials[0].user_handle) is Why.NOT_YOURS
    assert tried(world, mine, user_handle=b"") is Why.NOT_YOURS
    # Who signs in by a passkey alone is whom the handle names (WebAuthn §7.2 step 6).
    assert tried(world, mine, user_handle=None) is Why.NOT_YOURS
    asked = a_ceremony(world).ask_to_prove(ACCOUNT, [made])
    assert proved(world, asked.id, mine.get(asked.options, user_handle=None), ACCOUNT).id == made.id


COUNTERS = (
    (5, 6, True),
    (5, 2**32 - 1, True),
    (5, 5, False),
    (5, 4, False),
    (5, 0, False),
    (0, 0, True),
    (0, 1, True),
)


def test_a_counter_goes_on_or_was_never_kept(world: World) -> None:
    for before, sent, counts in COUNTERS:
        key = AnAuthenticator()
        made = added(world, key, count=before)
        found = tried(world, key, count=sent)
        assert isinstance(found, Passkey) if counts else found is Why.CLONED, (before, sent)
        with world.write() as db:
            assert db.get_one(Passkey, made.id).sign_count == (sent if counts else before)
            factors.remove_all(db, ACCOUNT)


def test_whichever_twin_comes_second_is_refused(world: World) -> None:
    first = AnAuthenticator()
    added(world, first)
    assert isinstance(tried(world, first), Passkey)
    twin = first.cloned()
    assert isinstance(tried(world, twin), Passkey)
    assert tried(world, first) is Why.CLONED
    assert isinstance(tried(world, first), Passkey)
    assert tried(world, twin) is Why.CLONED


def test_a_clone_is_told_with_the_key_it_copied(world: World) -> None:
    key = AnAuthenticator()
    made = added(world, key, count=9)
    asked = a_ceremony(world).ask_to_prove()
    with pytest.raises(PasskeyRefused) as caught:
        proved(world, asked.id, key.get(asked.options, count=3))
    assert caught.value.passkey
    assert caught.value.passkey.id == made.id


def test_a_counter_that_nobody_signed_moves_nothing(world: World) -> None:
    key = AnAuthenticator()
    made = added(world, key)
    assert tried(world, key, count=1000, verified=False) is Why.WRONG
    asked = a_ceremony(world).ask_to_prove()
    answer = with_field(key.get(asked.options, count=2000), ("response", "signature"), b64url(b"0" * 70))
    assert why(lambda: proved(world, asked.id, answer)) is Why.WRONG
    with world.reading() as db:
        assert db.get_one(Passkey, made.id).sign_count == 0


def test_two_twins_at_once_do_not_both_come_in(world: World) -> None:
    key = AnAuthenticator()
    added(world, key)
    twins = [key.cloned() for _ in range(6)]
    asked = [a_ceremony(world).ask_to_prove() for _ in twins]
    answers = [twin.get(one.options) for twin, one in zip(twins, asked, strict=True)]

    def send(number: int) -> Passkey | Why:
        try:
            return proved(world, asked[number].id, answers[number])
        except PasskeyRefused as refused:
            return refused.why

    told = at_once(len(twins), send)
    assert sum(isinstance(one, Passkey) for one in told) == 1
    assert told.count(Why.CLONED) == len(twins) - 1


def test_a_passkey_survives_the_rotation_of_data_keys(world: World) -> None:
    old = Vault({1: bytes(range(32))})
    rotated = Vault({2: bytes(range(32, 64)), 1: bytes(range(32))})
    key, store = AnAuthenticator(), world.platform.store
    before = Ceremony(store, world.settings, old, "a browser")
    asked = before.ask_to_add(ACCOUNT, label="x", present=())
    verified = before.check_added(asked.id, key.create(asked.options), ACCOUNT)
    after = Ceremony(store, world.settings, rotated, "a browser")
    with world.write() as db:
        factors.add_passkey(db, account=ACCOUNT, name="钥匙", now=world.now(), **verified)
        asked = after.ask_to_prove()
        assert after.check_proof(db, asked.id, key.get(asked.options), now=world.now()).account == ACCOUNT


def test_an_address_without_a_name_has_no_passkeys(world: World) -> None:
    assert a_ceremony(world).possible
    with world.rewired(issuer="http://127.0.0.1:8000") as other:
        assert not a_ceremony(other).possible
