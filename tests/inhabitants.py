"""Who lives in a test's installation, each with what he types; and numbers that nobody has."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from stdnum.cn import ric, uscc

from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.staff import StaffMember

PASSWORD = "Kite-flying 42"
CALLBACK = "https://portal.example/callback"


def a_resident_number(number: int) -> str:
    """A resident number that nobody has: region 990100 was never assigned."""
    body = f"990100{1950 + number % 50}{number % 12 + 1:02d}{number % 28 + 1:02d}{number % 1000:03d}"
    return body + ric.calc_check_digit(body + "-")


def a_credit_code(number: int) -> str:
    """A credit code that nobody has."""
    body = f"91990100MA{number:07d}"
    return body + uscc.calc_check_digit(body)


@dataclass(frozen=True)
class APerson:
    """A person with what he types."""

    row: Person
    name: str
    phone: str
    id_number: str
    account: str
    password: str = PASSWORD


@dataclass(frozen=True)
class ACompany:
    """A company with what its representative types."""

    row: Enterprise
    representative: APerson
    uscc: str
    name: str
    account: str
    password: str = PASSWORD


@dataclass(frozen=True)
class AnOperator:
    """An operator of a company with what he types."""

    mandate: Mandate
    person: APerson
    company: ACompany
    phone: str
    password: str = PASSWORD


@dataclass(frozen=True)
class AClient:
    """A relying party with its secret."""

    client_id: str
    secret: str
    redirect_uri: str = CALLBACK

    @property
    def basic(self) -> dict[str, str]:
        """Its Authorization header."""
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


@dataclass(frozen=True)
class AStaffMember:
    """Somebody who works at the console, with what he types."""

    row: StaffMember
    account: str
    totp_secret: str
    password: str = PASSWORD
