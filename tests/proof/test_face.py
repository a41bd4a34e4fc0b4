"""Face checks: whose they are, what moves them, and that what passed is taken once (SECURITY 52 to 55)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idp.accounts.identifiers import person_name
from idp.accounts.models import IdType
from idp.adapters.face import FaceResult, FaceService, FaceUnavailable
from idp.crypto import Vault
from idp.proof import face
from idp.proof.face import CheckGone, NotLedBack, NotPassed, UnderWay, VerdictIgnored
from idp.proof.face_record import Check, Purpose, State, Whom, key_of, person_of
from idp.proof.throttle import Throttled
from tests.adapters.arrange import at_once
from tests.inhabitants import a_resident_number
from tests.relying_parties.simulating import FACE_KEY, simulators
from tests.world import World

# The simulator looks at the clock on the wall.
NOW = datetime.now(UTC)
WHOM = Whom("林小满", a_resident_number(91_001))
MINE = "browser tx"
LIFE = timedelta(seconds=300)
BACK = "the-way-back"
TO = {"callback": "https://idp.example/face/callback", "returns_to": "https://idp.example/login/face/finish"}


@pytest.fixture(scope="module")
def service() -> Iterator[FaceService]:
    with simulators("https://idp.example") as running:
        yield FaceService(running.face_url, FACE_KEY)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    """It is when this file was read, however late in the suite it runs."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def tools(world: World, service: FaceService) -> face.Tools:
    return face.Tools(world.backends.store, Vault({1: b"k" * 32}), service, LIFE, 20)


def opened(tools: face.Tools, whom: Whom = WHOM, purpose: Purpose = Purpose.SIGN_IN) -> Check:
    return face.open_check(tools, whom, purpose, binding=MINE, address="192.0.2.1", now=NOW)


def begun(tools: face.Tools) -> Check:
    return face.begin(tools, opened(tools), ticket="", way_back=BACK, **TO, now=NOW)[0]


def told(check: Check, **changed: object) -> FaceResult:
    return replace(FaceResult(check.id, check.subject, passed=True, score=98, at=NOW), **changed)  # type: ignore[arg-type]


def taken(tools: face.Tools, check: Check, *, binding: str = MINE, now: datetime = NOW) -> Check:
    return face.take(tools.store, check.id, Purpose.SIGN_IN, binding=binding, way_back=BACK, now=now)


def test_a_check_goes_from_waiting_to_taken_and_only_forward(tools: face.Tools) -> None:
    check = opened(tools)
    with pytest.raises(NotPassed):
        taken(tools, check)
    check, _ = face.begin(tools, check, ticket="", way_back=BACK, **TO, now=NOW)
    with pytest.raises(NotPassed):
        taken(tools, check)
    check, is_new = face.settle(tools.store, told(check), now=NOW)
    assert (check.state, is_new) == (State.PASSED, True)
    assert taken(tools, check).state is State.TAKEN
    assert face.settle(tools.store, told(check), now=NOW)[1] is False
    with pytest.raises(VerdictIgnored):
        face.settle(tools.store, told(check, passed=False, score=1), now=NOW)
    found = face.find(tools.store, check.id)
    assert found is not None
    assert found.state is State.TAKEN
    with pytest.raises(CheckGone):
        taken(tools, check)


@pytest.mark.parametrize("way_back", ["", "another"])
def test_a_browser_that_was_not_led_back_gets_nothing(tools: face.Tools, way_back: str) -> None:
    check, _ = face.settle(tools.store, told(begun(tools)), now=NOW)
    with pytest.raises(NotLedBack):
        face.take(tools.store, check.id, Purpose.SIGN_IN, binding=MINE, way_back=way_back, now=NOW)
    assert taken(tools, check).state is State.TAKEN


def test_of_many_who_take_it_at_once_one_gets_it(tools: face.Tools) -> None:
    check, _ = face.settle(tools.store, told(begun(tools)), now=NOW)

    def take(_number: int) -> bool:
        try:
            taken(tools, check)
        except CheckGone:
            return False
        return True

    assert sum(at_once(8, take)) == 1


def test_of_two_verdicts_at_once_the_first_counts(tools: face.Tools) -> None:
    check = begun(tools)

    def settle(number: int) -> int:
        verdict = told(check) if number % 2 else told(check, passed=False, score=12)
        try:
            return int(face.settle(tools.store, verdict, now=NOW)[1])
        except VerdictIgnored:
            return 0

    assert sum(at_once(8, settle)) == 1


def test_only_the_browser_and_request_it_was_opened_for_get_it(tools: face.Tools) -> None:
    check, _ = face.settle(tools.store, told(begun(tools)), now=NOW)
    for other in ("", "browser", "browser ", "browser other", "other tx"):
        with pytest.raises(CheckGone):
            taken(tools, check, binding=other)
    assert taken(tools, check).state is State.TAKEN


@pytest.mark.parametrize(
    ("purpose", "other"),
    [(purpose, other) for purpose in Purpose for other in Purpose if other is not purpose],
)
def test_what_passed_for_one_purpose_opens_no_other(
    tools: face.Tools, purpose: Purpose, other: Purpose
) -> None:
    check = face.begin(tools, opened(tools, purpose=purpose), ticket="", way_back=BACK, **TO, now=NOW)[0]
    check, _ = face.settle(tools.store, told(check), now=NOW)
    with pytest.raises(CheckGone):
        face.take(tools.store, check.id, other, binding=MINE, way_back=BACK, now=NOW)
    taken = face.take(tools.store, check.id, purpose, binding=MINE, way_back=BACK, now=NOW)
    assert taken.state is State.TAKEN


def test_it_is_over_after_its_time_in_whatever_state(tools: face.Tools) -> None:
    late = NOW + LIFE
    waiting, running = opened(tools), begun(tools)
    passed, _ = face.settle(tools.store, told(begun(tools)), now=NOW)
    with pytest.raises(CheckGone):
        face.begin(tools, waiting, ticket="", **TO, now=late)
    with pytest.raises(VerdictIgnored):
        face.settle(tools.store, told(running), now=late)
    with pytest.raises(CheckGone):
        taken(tools, passed, now=late)


def test_only_the_latest_code_may_begin_it(tools: face.Tools) -> None:
    check = opened(tools)
    first = face.wait_by(tools.store, check, "ticket-1", now=NOW)
    second = face.wait_by(tools.store, first, "ticket-2", now=NOW)
    for other in ("", "ticket-1"):
        with pytest.raises(CheckGone):
            face.begin(tools, second, ticket=other, **TO, now=NOW)
    assert face.begin(tools, second, ticket="ticket-2", **TO, now=NOW)[0].state is State.BEGUN


def test_once_begun_no_other_code_comes_in_its_place(tools: face.Tools) -> None:
    check = begun(tools)
    with pytest.raises(CheckGone):
        face.wait_by(tools.store, check, "ticket", now=NOW)


def test_a_code_that_was_made_while_it_began_is_nobodys(tools: face.Tools) -> None:
    stale = opened(tools)
    face.begin(tools, stale, ticket="", **TO, now=NOW)
    with pytest.raises(CheckGone):
        face.wait_by(tools.store, stale, "ticket", now=NOW)


def test_begun_twice_at_once_it_is_one_page_and_one_call(tools: face.Tools) -> None:
    check = opened(tools)

    def begin(_number: int) -> tuple[str, bool]:
        try:
            begun, moved = face.begin(tools, check, ticket="", **TO, now=NOW)
        except UnderWay:
            return "", False
        return begun.page, moved

    answers = at_once(4, begin)
    assert len({page for page, _ in answers if page}) == 1
    assert sum(moved for _, moved in answers) == 1


def test_a_check_whose_service_is_away_can_be_begun_later(tools: face.Tools) -> None:
    check = opened(tools, Whom("人脸故障", a_resident_number(91_002)))
    with pytest.raises(FaceUnavailable):
        face.begin(tools, check, ticket="", **TO, now=NOW)
    found = face.find(tools.store, check.id)
    assert found is not None
    assert found.state is State.WAITING


def test_the_time_of_the_proof_lies_between_its_begin_and_now(tools: face.Tools) -> None:
    for at, expected in (
        (NOW - timedelta(days=365), NOW),
        (NOW + timedelta(hours=1), NOW + timedelta(seconds=9)),
        (NOW + timedelta(seconds=5), NOW + timedelta(seconds=5)),
    ):
        check, _ = face.settle(tools.store, told(begun(tools), at=at), now=NOW + timedelta(seconds=9))
        assert check.passed_at == pytest.approx(expected.timestamp())


def test_name_and_number_lie_in_the_store_sealed_and_open_nowhere_else(tools: face.Tools) -> None:
    mine, other = opened(tools), opened(tools)
    kept = tools.store.get(key_of(mine.id)) or b""
    for word in (WHOM.name, WHOM.id_number, ascii(WHOM.name)[1:-1]):
        assert word.encode() not in kept
    assert mine.whom(tools.vault) == WHOM
    swapped = replace(mine, sealed=other.sealed)
    with pytest.raises(Exception, match="does not belong here"):
        swapped.whom(tools.vault)


def test_a_check_keeps_what_document_its_number_is_of(tools: face.Tools) -> None:
    whom = Whom("ANNA LEE", "E12345678", IdType.PASSPORT.value)
    assert opened(tools, whom).whom(tools.vault) == whom


def test_checks_of_a_person_are_counted_together_wherever_they_begin(tools: face.Tools) -> None:
    whom = Whom("白云飞", a_resident_number(91_003))

    def open_at(number: int) -> Check:
        address = f"192.0.2.{number}"
        return face.open_check(tools, whom, Purpose.SIGN_IN, binding=str(number), address=address, now=NOW)

    # Of those beyond, one goes through in a while; the next one waits.
    for number in range(face.CHECKS_A_PERSON + 1):
        open_at(number)
    with pytest.raises(Throttled):
        open_at(99)
    opened(tools, Whom("白云飞", a_resident_number(91_004)))


def test_checks_from_an_address_are_counted_together_whomever_they_are_about(tools: face.Tools) -> None:
    for number in range(20 + 1):
        opened(tools, Whom("白云飞", a_resident_number(92_000 + number)))
    with pytest.raises(Throttled):
        opened(tools, Whom("白云飞", a_resident_number(93_000)))


@pytest.mark.parametrize("check_id", ["", "short", "A" * 22, "A" * 23, "../" * 8, "ticket:" + "A" * 15])
def test_an_id_that_is_none_finds_nothing(tools: face.Tools, check_id: str) -> None:
    assert face.find(tools.store, check_id) is None


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" 林 小满 ", "林小满"),
        ("阿依・古丽", "阿依·古丽"),
        ("阿依.古丽", "阿依·古丽"),
        ("阿依 • 古丽", "阿依·古丽"),
        ("Ａｎｎａ", "Anna"),
    ],
)
def test_a_name_has_one_form_however_it_was_typed(typed: str, canonical: str) -> None:
    assert person_name(typed) == canonical


def test_a_person_is_found_by_number_and_name_together(world: World) -> None:
    person, vault = world.a_person(name="阿依·古丽"), world.platform.vault
    with world.reading() as db:
        for name, is_he in (("阿依·古丽", True), ("阿依古丽", False), ("", False)):
            found = person_of(db, vault, Whom(name, person.id_number))
            assert (found is not None) is is_he
        assert person_of(db, vault, Whom("阿依·古丽", a_resident_number(91_005))) is None
        assert person_of(db, vault, Whom("阿依·古丽", person.id_number, IdType.PASSPORT.value)) is None
