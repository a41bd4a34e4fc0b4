"""Who is in an installation: companies with representative, operator and account, sign-ins, a portal.

Invented throughout: region 990100 was never assigned, and nobody holds these numbers.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from stdnum.cn import ric, uscc

from bench.installation import Installation
from idp.access import assurance
from idp.access.clients import announce_change
from idp.access.registration import NewClient, add_client
from idp.accounts import directory
from idp.accounts.calendar import civil_day
from idp.accounts.directory import NewMandate, NewPerson
from idp.accounts.identity import Identity, Role, account_of
from idp.accounts.models import Enterprise, EnterpriseType, Mandate, Person
from idp.accounts.sessions import Device, Proof, open_session
from idp.crypto import Vault

PASSWORD = "Kite-flying 42"  # noqa: S105 - of nobody
CALLBACK = "https://portal.example/callback"
_LIFETIME = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Company:
    """A company with what its representative and its operator type."""

    uscc: str
    account: str
    phone: str
    operator_phone: str
    row: Enterprise
    representative: Person
    mandate: Mandate


@dataclass(frozen=True, slots=True)
class Portal:
    """A relying party with its credentials."""

    client_id: str
    basic: str


def settle(here: Installation, numbers: Sequence[int], *, password_hash: str | None = None) -> list[Company]:
    """A live company for each number, each with one live operator, in one transaction."""
    now = datetime.now(UTC)
    with here.backends.database.begin() as db:
        return [_company(db, here.backends.vault, number, password_hash, now=now) for number in numbers]


def sign_in(here: Installation, companies: Sequence[Company]) -> list[str]:
    """The cookie of a live sign-in of each company's representative."""
    now = datetime.now(UTC)
    cookies = []
    with here.backends.database.begin() as db:
        for company in companies:
            account = company.row.account
            identity = Identity(
                company.representative.id,
                Role.LEGAL_REPRESENTATIVE,
                company.row.id,
                legal_account_id=account.id if account else None,
            )
            proof = Proof(("pwd",), assurance.PASSWORD, now, account_of(identity))
            device = Device("bench", "127.0.0.1")
            _row, token = open_session(db, identity, proof, device, lifetime=_LIFETIME, now=now)
            cookies.append(f"idp_session={token}")
    return cookies


def register_portal(here: Installation) -> Portal:
    """A first-party portal that may ask for a company and for refresh tokens; its ID tokens are RS256."""
    new = NewClient(
        name="示例网厅",
        redirect_uris=(CALLBACK,),
        grant_types=("authorization_code", "refresh_token"),
        scopes=("openid", "profile", "phone", "identity", "entity", "offline_access"),
        first_party=True,
    )
    with here.backends.database.begin() as db:
        client, secret = add_client(db, new, production=True, now=datetime.now(UTC))
    announce_change(here.backends.store)
    pair = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    return Portal(client.client_id, f"Basic {pair}")


def register_fapi_portal(here: Installation, jwks: dict[str, Any]) -> str:
    """The id of a first-party portal under the profile fapi2; its ID tokens are ES256."""
    new = NewClient(
        name="示例金融网厅",
        redirect_uris=(CALLBACK,),
        scopes=("openid", "profile", "entity"),
        first_party=True,
        profile="fapi2",
        auth_method="private_key_jwt",
        jwks=jwks,
        id_token_alg="ES256",  # noqa: S106 - an algorithm's name
    )
    with here.backends.database.begin() as db:
        client, _no_secret = add_client(db, new, production=True, now=datetime.now(UTC))
    announce_change(here.backends.store)
    return client.client_id


def credit_code(number: int) -> str:
    """A credit code that nobody has."""
    body = f"91990100MA{number:07d}"
    return body + str(uscc.calc_check_digit(body))


def resident_number(number: int) -> str:
    """A resident number that nobody has; the first 168,000 differ."""
    serial, rest = number % 1000, number // 1000
    body = f"990100{1950 + rest % 14}{rest % 12 + 1:02d}{rest % 28 + 1:02d}{serial:03d}"
    return body + str(ric.calc_check_digit(body + "-"))


def _company(db: Session, vault: Vault, number: int, password_hash: str | None, *, now: datetime) -> Company:
    phone, operator_phone = f"138{number:08d}", f"139{number:08d}"
    representative, operator = (
        directory.add_person(db, vault, NewPerson("林小满", mobile, resident_number(serial)), now=now)
        for mobile, serial in ((phone, 2 * number), (operator_phone, 2 * number + 1))
    )
    code, account = credit_code(number), f"company_{number}"
    row = directory.add_enterprise(
        db,
        uscc=code,
        name=f"第{number}示例有限公司",
        type_=EnterpriseType.COMPANY,
        representative=representative,
        now=now,
    )
    if row.account and password_hash:
        directory.activate(
            db, vault, row.account, name=account, password_hash=password_hash, phone=phone, now=now
        )
    elif row.account:
        row.account.activated_at = now
    today = civil_day(now)
    days = NewMandate(today - timedelta(days=1), today + timedelta(days=30), operator_phone)
    mandate = directory.add_mandate(db, vault, row, operator, days, now=now)
    return Company(code, account, phone, operator_phone, row, representative, mandate)
