"""What a second factor costs: sign-ins with an authenticator app and by passkey beside plain ones.

CPU time of every request of a sign-in, from its first page to the one that signs in, without the
picture of the captcha. The three are taken in turns, so that the machine's moods meet all of them.
"""

from __future__ import annotations

import html
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
from sqlalchemy import update

from bench.figures import Figure, median_figure
from bench.http import Answer, WrongAnswer
from bench.in_process import InProcess, in_process
from bench.installation import Installation, installation
from bench.password_login import PAGE, filled_in, settled
from bench.population import Company
from idp.accounts import factors
from idp.accounts.factors import TotpSecret
from idp.proof import totp
from idp.proof.passkeys import Ceremony
from tests.authenticator import AnAuthenticator

_RUNS = 5
_LOGINS = 10
_BY_PASSKEY = "/login/passkey"


@dataclass(frozen=True, slots=True)
class _Member:
    company: Company
    secret: str
    key: AnAuthenticator


def run() -> Iterator[Figure]:
    """CPU of a sign-in with a code and of one by passkey, by that of a plain one, and in milliseconds."""
    with installation() as here:
        house = in_process(here)
        try:
            plain = settled(here, house, range(1, _LOGINS + 1))
            armed = settled(here, house, range(_LOGINS + 1, 2 * _LOGINS + 1))
            yield from _measure(here, house, plain, [_armed(here, company) for company in armed])
        finally:
            house.close()


def _armed(here: Installation, company: Company) -> _Member:
    """The company with an authenticator app and a passkey."""
    account = company.row.account
    if account is None:
        raise LookupError("a company without an account")
    owner, now, secret = f"legal:{account.id}", datetime.now(UTC), totp.new_secret()
    key = AnAuthenticator(origin=here.settings.issuer)
    ceremony = Ceremony(here.backends.store, here.settings, here.backends.vault, "bench")
    asked = ceremony.ask_to_add(owner, label="bench", present=())
    verified = ceremony.check_added(asked.id, key.create(asked.options), owner)
    with here.backends.database.begin() as db:
        factors.add_totp(db, here.backends.vault, account=owner, name="app", secret=secret, step=0, now=now)
        factors.add_passkey(db, account=owner, name="key", now=now, **verified)
    return _Member(company, secret, key)


def _measure(
    here: Installation, house: InProcess, plain: list[Company], armed: list[_Member]
) -> Iterator[Figure]:
    journeys: dict[str, Callable[[int], float]] = {
        "plain": lambda number: _with_password(house, plain[number]),
        "code": lambda number: _with_code(house, armed[number]),
        "passkey": lambda number: _by_passkey(house, armed[number]),
    }
    costs: dict[str, list[float]] = {name: [] for name in journeys}
    for turn in range(_RUNS + 1):
        _forget_spent(here)
        taken: dict[str, list[float]] = {name: [] for name in journeys}
        for number in range(_LOGINS):
            for name, journey in journeys.items():
                taken[name].append(journey(number) * 1000)
        # The first turn loads what is loaded once.
        for name in journeys if turn else ():
            costs[name].append(statistics.mean(taken[name]))
    beside = f"by a plain sign-in of {statistics.median(costs['plain']):.1f} CPU ms"
    for name in ("code", "passkey"):
        ratios = [cost / base for cost, base in zip(costs[name], costs["plain"], strict=True)]
        yield median_figure(f"second_step_{name}", ratios, "ratio", beside)
        yield median_figure(f"second_step_{name}_cost", costs[name], "CPU ms", "all its requests")


def _forget_spent(here: Installation) -> None:
    """Let the code an app shows now be sent again: no benchmark waits for the next one."""
    with here.backends.database.begin() as db:
        db.execute(update(TotpSecret).values(last_step=0))


def _with_password(house: InProcess, company: Company) -> float:
    house.cpu = 0.0
    shown = house.get(PAGE).expect(200)
    _signed_in(house.post(PAGE, filled_in(house, shown.body.decode(), company), COOKIE=_cookie(shown)))
    return house.cpu


def _with_code(house: InProcess, member: _Member) -> float:
    house.cpu = 0.0
    shown = house.get(PAGE).expect(200)
    cookie = _cookie(shown)
    form = filled_in(house, shown.body.decode(), member.company)
    second = house.post(PAGE, form, COOKIE=cookie).expect(303).headers["location"]
    shown = house.get(second, COOKIE=cookie).expect(200)
    code = {"csrf_token": _value(shown, "csrf_token"), "code": pyotp.TOTP(member.secret).now()}
    _signed_in(house.post(second, code, COOKIE=cookie))
    return house.cpu


def _by_passkey(house: InProcess, member: _Member) -> float:
    house.cpu = 0.0
    shown = house.get(_BY_PASSKEY).expect(200)
    asked = re.findall(r'data-options="([^"]+)"', shown.body.decode())[0]
    form = {name: _value(shown, name) for name in ("csrf_token", "challenge_id")}
    form["answer"] = member.key.get(html.unescape(asked))
    _signed_in(house.post(_BY_PASSKEY, form, COOKIE=_cookie(shown)))
    return house.cpu


def _value(shown: Answer, name: str) -> str:
    found: str = re.findall(rf'name="{name}"[^>]*value="([^"]+)"', shown.body.decode())[0]
    return found


def _cookie(shown: Answer) -> str:
    return shown.headers["set-cookie"].split(";")[0]


def _signed_in(answer: Answer) -> None:
    """Raises WrongAnswer unless this answer signed somebody in."""
    if answer.status != 303 or "/login" in answer.headers["location"]:
        raise WrongAnswer(f"not signed in: {answer.status} {answer.headers.get('location')}")
