"""Puts the demo world into a database, and makes it true again at each start.

What somebody changed while he tried things out (a password, a mandate that ran out) is set back, so
that the manifest never lies; people and companies that were added stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from idp.access.channels import CHANNELS
from idp.access.clients import Client
from idp.access.registration import NewClient, add_client, apply_registration, check_client
from idp.accounts import factors
from idp.accounts.calendar import civil_day
from idp.accounts.directory import (
    NewMandate,
    NewPerson,
    activate,
    add_enterprise,
    add_mandate,
    add_person,
    find_enterprise,
    find_person,
    set_mandate_password,
)
from idp.accounts.models import Credential, Enterprise, LegalAccount, LoginName, Mandate, Person
from idp.accounts.passwords import PasswordHasher
from idp.accounts.staff import StaffMember, find_staff
from idp.accounts.staff_roster import NewStaff, add_staff
from idp.crypto import Vault, hash_token
from idp.demo import addresses, manifest, world

_HOSTS = ("localhost", "127.0.0.1")
_APPS = {"phone": "jishiban", "social_card": "social_card", "licence": "licence"}
"""Name in the manifest to the channel."""


@dataclass(frozen=True, slots=True)
class Seeder:
    """What seeding works with; `db` is committed by the caller."""

    db: Session
    vault: Vault
    hasher: PasswordHasher
    now: datetime

    def seed(self) -> None:
        """Make the world true. Raises AlreadyTaken where somebody else has one of its names or numbers."""
        people = {person.key: self._person(person) for person in world.PEOPLE}
        companies = {
            company.key: self._company(company, people[company.representative]) for company in world.COMPANIES
        }
        for mandate in world.MANDATES:
            self._mandate(mandate, companies[mandate.company], people[mandate.person])
        for member in world.STAFF:
            self._staff(member)
        self.db.flush()

    def _person(self, wanted: world.DemoPerson) -> Person:
        row = find_person(self.db, self.vault, wanted.id_number)
        if row is None:
            new = NewPerson(wanted.name, wanted.phone, wanted.id_number, account=wanted.key)
            row = add_person(self.db, self.vault, new, now=self.now)
        if row.phone(self.vault) != wanted.phone:
            row.set_phone(self.vault, wanted.phone)
        row.id_valid_from, row.id_valid_until = wanted.id_valid_from, wanted.id_valid_until
        row.suspended_at = None
        self._login_name(wanted.key, person_id=row.id)
        self._password(world.PERSON_PASSWORD, person_id=row.id)
        return row

    def _company(self, wanted: world.DemoCompany, representative: Person) -> Enterprise:
        row = find_enterprise(self.db, wanted.uscc) or add_enterprise(
            self.db,
            uscc=wanted.uscc,
            name=wanted.name,
            type_=wanted.type,
            representative=representative,
            now=self.now,
        )
        row.representative, row.status, row.suspended_at = representative, wanted.status.value, None
        if wanted.account and wanted.phone:
            self._activated(row, wanted.account, wanted.phone)
        elif row.account:
            self._pending(row.account, wanted.phone)
        return row

    def _pending(self, account: LegalAccount, phone: str | None) -> None:
        """待激活, also after somebody activated it."""
        account.activated_at = None
        if phone is None:
            account.phone_sealed = None
        elif account.phone(self.vault) != phone:
            account.set_phone(self.vault, phone)
        for table in (LoginName, Credential):
            self.db.execute(delete(table).where(table.legal_account_id == account.id))

    def _activated(self, row: Enterprise, name: str, phone: str) -> None:
        account = row.account
        if account is None:
            return
        if account.activated_at is None:
            hashed = self.hasher.hash(world.LEGAL_PASSWORD)
            activate(self.db, self.vault, account, name=name, password_hash=hashed, phone=phone, now=self.now)
            return
        if account.phone(self.vault) != phone:
            account.set_phone(self.vault, phone)
        self._login_name(name, legal_account_id=account.id)
        self._password(world.LEGAL_PASSWORD, legal_account_id=account.id)

    def _mandate(self, wanted: world.DemoMandate, company: Enterprise, person: Person) -> None:
        today, phone = civil_day(self.now), world.person(wanted.person).phone
        first_day, last_day = today + wanted.begins, today + wanted.ends
        query = select(Mandate).filter_by(enterprise_id=company.id, person_id=person.id, ended_at=None)
        row = self.db.scalars(query).first()
        if row is None:
            new = NewMandate(first_day, last_day, phone, department=wanted.department)
            row = add_mandate(self.db, self.vault, company, person, new, now=self.now)
            hashed = self.hasher.hash(wanted.password)
            set_mandate_password(self.db, row, hashed, must_change=wanted.must_change, now=self.now)
        row.first_day, row.last_day = first_day, last_day
        row.manage_operators, row.manage_seals = wanted.manage_operators, wanted.manage_seals
        self._password(wanted.password, must_change=wanted.must_change, mandate_id=row.id)

    def _staff(self, wanted: world.DemoStaff) -> None:
        new = NewStaff(wanted.account, wanted.name, wanted.role)
        row = find_staff(self.db, wanted.account) or add_staff(self.db, self.vault, new, now=self.now)
        if row.name(self.vault) != wanted.name:
            row.set_name(self.vault, wanted.name)
        row.role, row.suspended_at = wanted.role.value, None
        row.enrolled_at = row.enrolled_at or self.now
        password = world.STAFF_PASSWORD
        if row.password_hash is None or not self.hasher.verify(row.password_hash, password).right:
            row.password_hash, row.password_changed_at = self.hasher.hash(password), self.now
        self._authenticator_app(row, wanted.totp_secret)

    def _authenticator_app(self, member: StaffMember, secret: str) -> None:
        """Leave `member` the one factor of the manifest, and no recovery codes."""
        held = factors.list_factors(self.db, member.key)
        apps = self.db.scalars(select(factors.TotpSecret).filter_by(account=member.key)).all()
        if len(held) == 1 and [app.secret(self.vault) for app in apps] == [secret]:
            # Kept as it is, so that a code it spent stays spent.
            codes = factors.RecoveryCode
            self.db.execute(delete(codes).where(codes.account == member.key))
            return
        factors.remove_all(self.db, member.key)
        factors.add_totp(
            self.db,
            self.vault,
            account=member.key,
            name="验证器 App",
            secret=secret,
            step=0,
            now=self.now,
        )

    def _login_name(self, name: str, **owner: UUID) -> None:
        if self.db.scalars(select(LoginName).filter_by(**owner)).first() is None:
            self.db.add(LoginName(name=name, **owner))

    def _password(self, password: str, *, must_change: bool = False, **owner: UUID) -> None:
        credential = self.db.scalars(select(Credential).filter_by(**owner)).first()
        if credential is None:
            hashed = self.hasher.hash(password)
            credential = Credential(**owner, password_hash=hashed, changed_at=self.now)
            self.db.add(credential)
        elif not self.hasher.verify(credential.password_hash, password).right:
            credential.password_hash, credential.changed_at = self.hasher.hash(password), self.now
        credential.must_change, credential.locked_at = must_change, None


def register_portal(db: Session, *, secret: str, port_base: int, now: datetime) -> None:
    """Register the social insurance portal, on localhost and on 127.0.0.1, with `secret`."""
    portals = [addresses.app_urls(port_base, host=host)["social_insurance"] for host in _HOSTS]
    new = NewClient(
        name="示例智慧人社 单位网厅",
        client_id=manifest.CLIENTS["social_insurance"],
        secret=secret,
        redirect_uris=tuple(f"{portal}/callback" for portal in portals),
        post_logout_redirect_uris=tuple(f"{portal}/signed-out" for portal in portals),
        backchannel_logout_uri=f"{portals[0]}/backchannel-logout",
        scopes=("openid", "profile", "phone", "identity", "entity"),
        sector="social-insurance",
        first_party=True,
    )
    _register(db, new, now=now)
    db.get_one(Client, new.client_id).secret_hash = hash_token(secret)


def register_apps(db: Session, *, port_base: int, now: datetime) -> None:
    """Register the phone app, once for each channel: three names of one program.

    On localhost alone: its key lies in the browser's store for that one origin.
    """
    app = addresses.app_urls(port_base)["phone"]
    for name, key in _APPS.items():
        new = NewClient(
            name=CHANNELS[key].name,
            client_id=manifest.CLIENTS[name],
            redirect_uris=(f"{app}/callback",),
            post_logout_redirect_uris=(f"{app}/",),
            auth_method="none",
            grant_types=("authorization_code", "refresh_token"),
            scopes=("openid", "profile", "app", "offline_access"),
            sector="phone",
            first_party=True,
            dpop=True,
            channel=key,
        )
        _register(db, new, now=now)


def _register(db: Session, new: NewClient, *, now: datetime) -> None:
    client = db.get(Client, new.client_id)
    if client is None:
        add_client(db, new, production=False, now=now)
        return
    check_client(new, production=False)
    apply_registration(client, new, now=now)
