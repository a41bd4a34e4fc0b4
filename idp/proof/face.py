"""Face checks: who is to be checked, for what, in which browser, and what the face service said of it.

A check is a record in the ephemeral store whose state only moves forward::

    waiting → begun → passed → taken
       └────────┴─────────┴──→ failed    (expired: its time is up in any state before taken)

It is bound to one purpose and one browser with its transaction, and what passed is taken once (SECURITY 55).
The name and number lie in it sealed, until they are said to the face service; no picture is ever seen here.
What the browser brings back from the face service's page proves nothing: only :func:`settle` moves a check,
by a verdict that :meth:`idp.adapters.face.FaceService.read_callback` has read. That it comes back at all,
with a secret nobody was shown before, proves that the face was shown in the browser that waits, and not
wherever a link was sent; where a phone shows the face, the number on the screen proves the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.face import FaceResult, FaceService
from idp.crypto import Vault, hash_token, new_token, same
from idp.proof import throttle
from idp.proof.face_record import Check, Purpose, State, Whom, is_id, key_of, pack, read, sealed
from idp.proof.throttle import Ceiling, Throttled, neighbourhood

PASSING: Final = 80
"""The lowest score of a face that passes."""
CONSENT: Final = "2026-11"
"""The version of the text that a person agrees to before his face is looked at (section Y, 56)."""
CHECKS_A_PERSON: Final = 10
"""How many checks of one person, for one purpose, may be asked for in an hour."""
BEGINS: Final = 5
"""How often the face service is asked to begin one check."""
_WAIT = 600  # seconds between two checks of whoever had too many in this hour
KEEP: Final = 600  # seconds a check is remembered beyond its life, so that what comes late is known
CALL: Final = 10  # seconds after which a call that was never heard of again is over


class CheckGone(Exception):
    """No such check of this browser for this purpose: unknown, expired, taken, or begun elsewhere."""


class NotPassed(Exception):
    """The check has not passed; `state` says whether it may still."""

    def __init__(self, state: State) -> None:
        super().__init__(state.value)
        self.state = state


class NotLedBack(Exception):
    """The check has passed, and the face service has not led this browser back."""


class UnderWay(Exception):
    """Somebody else is doing the same with this very check at this moment."""


class VerdictIgnored(Exception):
    """A signed verdict that changes nothing; `status` is the HTTP status that says why."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Tools:
    """What face checks work with: how long one may take, and how many an address may ask for in an hour."""

    store: EphemeralStore
    vault: Vault
    service: FaceService
    lifetime: timedelta
    checks_an_address: int


def open_check(
    tools: Tools,
    whom: Whom,
    purpose: Purpose,
    *,
    binding: str,
    address: str,
    known_browser: str | None = None,
    now: datetime,
) -> Check:
    """A new check of `whom` for the browser that `binding` names. Raises idp.proof.throttle.Throttled.

    Counted by the address, and by the person whether he is known here or not, before anything is looked at;
    by the purpose, too: whoever types a name at a sign-in, which costs nothing, stops nobody's registration.
    `known_browser` is the id of a browser his account knows: what strangers ask for never slows that one.
    """
    subject = tools.service.subject(whom.name, whom.id_number)
    _count(tools, f"face-from:{neighbourhood(address)}", tools.checks_an_address, now=now)
    try:
        who = f"{purpose}:{subject}:{known_browser or 'strangers'}"
        _count(tools, f"face:{who}", CHECKS_A_PERSON, now=now)
    except Throttled as slowed:
        slowed.spares_known = known_browser is None
        raise
    check_id = new_token(16)
    until = now + tools.lifetime
    check = Check(
        check_id,
        State.WAITING,
        purpose,
        subject,
        sealed(tools.vault, check_id, whom),
        hash_token(binding).hex(),
        until.timestamp(),
    )
    tools.store.put(key_of(check_id), pack(check), ttl=_ttl(check, now))
    return check


def find(store: EphemeralStore, check_id: str) -> Check | None:
    """The check with this id in whatever state, None if none is remembered."""
    return read(store.get(key_of(check_id))) if is_id(check_id) else None


def of_browser(
    store: EphemeralStore, check_id: str, purpose: Purpose, *, binding: str, now: datetime
) -> Check:
    """The check as its own browser may see it, failed or alive. Raises CheckGone."""
    check = find(store, check_id)
    if check is None or check.purpose is not purpose or not check.is_bound_to(binding):
        raise CheckGone
    if check.state_at(now) in {State.EXPIRED, State.TAKEN}:
        raise CheckGone
    return check


def wait_by(store: EphemeralStore, check: Check, ticket: str, *, now: datetime) -> Check:
    """Let `ticket`, and no ticket before it, begin the check. Raises CheckGone once it has begun."""
    if check.state_at(now) is not State.WAITING:
        raise CheckGone
    return moved(store, check, replace(check, ticket=ticket), now=now)


def begin(
    tools: Tools,
    check: Check,
    *,
    ticket: str,
    callback: str,
    returns_to: str,
    way_back: str = "",
    now: datetime,
) -> tuple[Check, bool]:
    """Have the face service begin; the check, and whether this call moved it.

    Begun twice from the same place it is one check and one page. `ticket` is the scan ticket whose phone
    asks, empty where the waiting browser itself does; `returns_to` then holds the secret `way_back`. Raises
    CheckGone, also once it was tried too often, UnderWay, idp.adapters.face.FaceUnavailable.
    """
    if _may_begin(check, ticket, now=now).state is State.BEGUN:
        return check, False
    with _alone(tools.store, f"face-begin:{check.id}"):
        # Whoever had the turn before may have moved it.
        check = _may_begin(find(tools.store, check.id), ticket, now=now)
        if check.state is State.BEGUN:
            return check, False
        if tools.store.increment(f"face-begins:{check.id}", ttl=_ttl(check, now)) > BEGINS:
            raise CheckGone
        whom = check.whom(tools.vault)
        page = tools.service.begin(
            check.id,
            whom.name,
            whom.id_number,
            id_type=whom.id_type,
            callback=callback,
            returns_to=returns_to,
            now=now,
        )
        begun = replace(check, state=State.BEGUN, page=page, begun_at=now.timestamp())
        begun = replace(begun, way_back=hash_token(way_back).hex() if way_back else "")
        return moved(tools.store, check, begun, now=now), True


def settle(store: EphemeralStore, verdict: FaceResult, *, now: datetime) -> tuple[Check, bool]:
    """What a check has become by `verdict`, and whether this verdict made it so.

    The same verdict again changes nothing and is no mistake. Raises VerdictIgnored for one that is late,
    early, about another person, below the score that passes, or not the first (SECURITY 52, 54).
    """
    check = find(store, verdict.check)
    if check is None:
        raise VerdictIgnored("no such check", 404)
    if not same(check.subject, verdict.subject):
        raise VerdictIgnored("about another person", 422)
    if verdict.passed and verdict.score < PASSING:
        raise VerdictIgnored("passed below the lowest score", 422)
    if check.state in {State.PASSED, State.FAILED, State.TAKEN}:
        if (
            not check.declined
            and verdict.passed is (check.state is not State.FAILED)
            and check.score == verdict.score
        ):
            return check, False
        raise VerdictIgnored("another verdict came before", 409)
    state = check.state_at(now)
    if state is not State.BEGUN:
        raise VerdictIgnored("too late" if state is State.EXPIRED else "not begun", 410)
    settled = replace(
        check,
        state=State.PASSED if verdict.passed else State.FAILED,
        score=verdict.score,
        passed_at=max(check.begun_at, min(verdict.at, now).timestamp()),
    )
    try:
        return moved(store, check, settled, now=now), True
    except CheckGone:
        # Another verdict was faster: judge anew by what it made of the check.
        return settle(store, verdict, now=now)


def take(
    store: EphemeralStore, check_id: str, purpose: Purpose, *, binding: str, way_back: str = "", now: datetime
) -> Check:
    """The passed check of this browser for this purpose, once. Raises CheckGone, NotPassed, NotLedBack."""
    check = of_browser(store, check_id, purpose, binding=binding, now=now)
    if check.state is not State.PASSED:
        raise NotPassed(check.state)
    if not check.is_led_back_with(way_back):
        raise NotLedBack
    return moved(store, check, replace(check, state=State.TAKEN), now=now)


def _count(tools: Tools, name: str, most: int, *, now: datetime) -> None:
    throttle.count_below(tools.store, Ceiling(name, most, _WAIT), now=now)


def _may_begin(check: Check | None, ticket: str, *, now: datetime) -> Check:
    """The check, if it waits for this ticket or was begun by it. Raises CheckGone."""
    if check is None or not same(check.ticket, ticket):
        raise CheckGone
    if check.state_at(now) not in {State.WAITING, State.BEGUN}:
        raise CheckGone
    return check


@contextmanager
def _alone(store: EphemeralStore, mark: str) -> Iterator[None]:
    """Let one caller at a time into the block. Raises UnderWay for the others."""
    if not store.put_if_absent(mark, b"1", ttl=CALL):
        raise UnderWay
    try:
        yield
    finally:
        store.delete(mark)


def moved(store: EphemeralStore, check: Check, changed: Check, *, now: datetime) -> Check:
    """Put `changed` in the place of `check`, if nobody has moved it meanwhile. Raises CheckGone."""
    packed = pack(changed)
    if not store.compare_and_set(key_of(check.id), check.packed or pack(check), packed, ttl=_ttl(check, now)):
        raise CheckGone
    return replace(changed, packed=packed)


def _ttl(check: Check, now: datetime) -> float:
    return max(check.expires_at - now.timestamp(), 0) + KEEP
