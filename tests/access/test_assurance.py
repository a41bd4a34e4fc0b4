"""What is missing before a request can be answered, with the ways there are and with ways to come."""

from __future__ import annotations

import pytest

from idp.access.assurance import (
    FACE,
    LEVELS,
    METHODS,
    PASSWORD,
    SECOND_PROOF,
    Held,
    Lack,
    Method,
    Wanted,
    offered,
    reachable,
    satisfies,
)
from idp.access.assurance import missing as decide
from idp.accounts.identity import Role
from idp.login.journey import PAGES
from tests.conftest import make_settings

LEGAL, OPERATOR, PERSON = Role.LEGAL_REPRESENTATIVE, Role.OPERATOR, Role.NATURAL_PERSON
EVERYBODY = frozenset(Role)
DATABASE = "sqlite://"
HERE = offered(make_settings(database_url=DATABASE, app_url="http://localhost:8004"))
PASSWORDS = tuple(way for way in METHODS if way.level == PASSWORD)
SCAN = Method("scan", SECOND_PROOF, EVERYBODY)
CODE = Method("code", SECOND_PROOF, frozenset({LEGAL, PERSON}), adds=True)
CAMERA = Method("camera", FACE, frozenset({PERSON}), adds=True)
UNIT, OWN = (LEGAL, OPERATOR, PERSON), (PERSON,)


def names(wanted: Wanted, held: Held | None, *more: Method) -> tuple[Lack, set[str]]:
    """The decision with the passwords and `more`, its ways by name."""
    found = decide(wanted, held, (*PASSWORDS, *more))
    return found.lack, {way.name for way in found.ways}


@pytest.mark.parametrize("reached", [*range(3)])
@pytest.mark.parametrize("wanted", [*range(3)])
def test_a_higher_level_satisfies_a_lower_one(reached: int, wanted: int) -> None:
    assert satisfies(LEVELS[reached], LEVELS[wanted]) == (reached >= wanted)


def test_what_is_no_level_satisfies_nothing_and_is_satisfied_by_nothing() -> None:
    for odd in ("", "urn:idp:loa:0", "URN:IDP:LOA:1", "1"):
        assert not satisfies(odd, PASSWORD)
        assert not satisfies(FACE, odd)


def test_passwords_reach_one_level_and_each_new_way_its_own() -> None:
    assert reachable(PASSWORDS) == (PASSWORD,)
    assert reachable((*PASSWORDS, SCAN)) == (PASSWORD, SECOND_PROOF)
    assert reachable((*PASSWORDS, CAMERA)) == LEVELS
    assert reachable((CODE,)) == (), "a proof that is added needs a sign-in to be added to"


def test_here_a_second_proof_is_reached_at_once_or_added_by_everybody() -> None:
    assert reachable(HERE) == (PASSWORD, SECOND_PROOF)
    wanted = Wanted(UNIT, (SECOND_PROOF,))
    begun = [way.name for way in decide(wanted, None, HERE).ways]
    assert begun == ["qr", "legal", "operator", "person", "passkey"]
    for role in Role:
        step = decide(wanted, Held(role, PASSWORD), HERE)
        assert (step.lack, [way.name for way in step.ways]) == (Lack.PROOF, ["second"])


def test_every_way_has_a_page() -> None:
    assert {way.name for way in METHODS} == set(PAGES)


def test_nobody_is_offered_a_scan_where_there_is_no_app() -> None:
    without = offered(make_settings(database_url=DATABASE))
    assert "qr" not in {way.name for way in without}
    assert reachable(without) == reachable(HERE), "what discovery promises is reached by passkeys, too"


def test_without_a_wish_any_fresh_sign_in_will_do() -> None:
    assert names(Wanted(UNIT), Held(OPERATOR, PASSWORD)) == (Lack.NOTHING, set())
    assert names(Wanted(UNIT), None) == (Lack.SIGN_IN, {"legal", "operator", "person"})
    assert names(Wanted(OWN), None, CODE) == (Lack.SIGN_IN, {"person"})


def test_a_sign_in_that_is_too_old_begins_anew_whatever_its_level() -> None:
    old = Held(PERSON, FACE, fresh=False)
    assert names(Wanted(OWN), old, SCAN, CODE) == (Lack.SIGN_IN, {"person", "scan"})
    assert names(Wanted(OWN, (SECOND_PROOF,)), old, SCAN) == (Lack.SIGN_IN, {"scan"})


def test_ways_too_weak_for_the_level_are_left_out() -> None:
    wanted = Wanted(UNIT, (SECOND_PROOF,))
    assert names(wanted, None, SCAN) == (Lack.SIGN_IN, {"scan"})
    assert names(wanted, None, SCAN, CODE) == (Lack.SIGN_IN, {"scan", "legal", "person"})
    assert names(Wanted(UNIT, (FACE,)), None, SCAN, CODE, CAMERA) == (Lack.SIGN_IN, {"scan", "person"})


def test_whoever_gave_his_password_is_asked_for_the_missing_proof_alone() -> None:
    assert names(Wanted(OWN, (SECOND_PROOF,)), Held(PERSON, PASSWORD), SCAN, CODE) == (Lack.PROOF, {"code"})
    assert names(Wanted(OWN, (FACE,)), Held(PERSON, SECOND_PROOF), CODE, CAMERA) == (Lack.PROOF, {"camera"})


def test_a_role_that_cannot_be_raised_signs_in_by_a_way_that_reaches_the_level() -> None:
    wanted = Wanted(UNIT, (SECOND_PROOF,))
    assert names(wanted, Held(OPERATOR, PASSWORD), SCAN, CODE) == (Lack.SIGN_IN, {"scan", "legal", "person"})


def test_any_level_asked_for_will_do_and_the_first_reachable_one_is_asked_for() -> None:
    wanted = Wanted(OWN, (FACE, SECOND_PROOF, PASSWORD))
    assert names(wanted, Held(PERSON, PASSWORD), SCAN)[0] is Lack.NOTHING
    strong = Wanted(OWN, (FACE, SECOND_PROOF))
    assert names(strong, Held(PERSON, PASSWORD), CODE, SCAN) == (Lack.PROOF, {"code"})
    assert names(strong, Held(PERSON, PASSWORD), CODE, CAMERA) == (Lack.PROOF, {"camera"})


def test_what_nobody_who_may_answer_can_reach_is_said_at_once() -> None:
    for held in (None, Held(PERSON, PASSWORD), Held(PERSON, FACE, fresh=False)):
        assert names(Wanted(OWN, (SECOND_PROOF, FACE)), held) == (Lack.UNMET, set())
        assert names(Wanted(OWN, ("urn:mace:incommon:iap:silver",)), held, SCAN, CAMERA)[0] is Lack.UNMET
    for_units = Method("stamp", SECOND_PROOF, frozenset({LEGAL}))
    assert names(Wanted(OWN, (SECOND_PROOF,)), None, for_units)[0] is Lack.UNMET
    assert names(Wanted(UNIT, (SECOND_PROOF,)), None, for_units) == (Lack.SIGN_IN, {"stamp"})


def test_no_answer_asks_for_a_way_that_leads_nowhere() -> None:
    """From every sign-in, following any way offered ends where nothing is missing."""
    table = (*METHODS, SCAN, CODE, CAMERA)
    for roles in (UNIT, OWN):
        for level in (None, *LEVELS):
            wanted = Wanted(roles, (level,) if level else ())
            for begun in decide(wanted, None, table).ways:
                held = next(
                    Held(role, begun.level)
                    for role in sorted(begun.roles.intersection(roles))
                    if decide(wanted, Held(role, begun.level), table).lack is not Lack.SIGN_IN
                )
                step = decide(wanted, held, table)
                raised = [Held(held.role, way.level) for way in step.ways] or [held]
                assert all(decide(wanted, each, table).lack is Lack.NOTHING for each in raised)
