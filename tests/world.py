"""One installation for one test: an application on real storage, people and companies in it, browsers.

`World` arranges, `Browser` acts as a person does: it opens pages, fills their forms by field name
and submits them. Nothing of the product is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from idp.access.clients import announce_change
from idp.access.registration import NewClient, add_client
from idp.accounts import directory, factors
from idp.accounts.calendar import civil_day
from idp.accounts.directory import NewMandate, NewPerson
from idp.accounts.models import EnterpriseStatus, EnterpriseType
from idp.accounts.sessions import Device
from idp.accounts.staff import StaffMember, StaffRole, open_staff_session
from idp.app import Backends, create_app
from idp.config import Settings
from idp.db import uuid7
from idp.proof import captcha, totp
from idp.web.platform import Platform
from tests.inhabitants import (
    CALLBACK,
    PASSWORD,
    AClient,
    ACompany,
    AnOperator,
    APerson,
    AStaffMember,
    a_credit_code,
    a_resident_number,
)
from tests.pages import Page, error_sentences

__all__ = [
    "CALLBACK",
    "PASSWORD",
    "AClient",
    "ACompany",
    "APerson",
    "AStaffMember",
    "AnOperator",
    "Page",
    "a_credit_code",
    "a_resident_number",
    "error_sentences",
]

ISSUER = "http://localhost:8000"
OF_ITS_OWN = frozenset(
    {"data_keys", "demo_port_base", "issuer", "mode", "places_file", "population_url", "secret_key"}
)
"""Settings that need connections and secrets of their own, or that no second test will ask for."""
_numbers = count(1)


@dataclass
class World:
    """An application on real storage, and the means to put people into it."""

    app: Flask
    backends: Backends
    settings: Settings
    hashed: dict[str, str] = field(default_factory=dict)
    annex: Callable[..., World] | None = None

    @property
    def platform(self) -> Platform:
        """What the application was wired with."""
        found: Platform = self.app.extensions["idp-platform"]
        return found

    def now(self) -> datetime:
        """The instant the application would see."""
        return datetime.now(UTC)

    @contextmanager
    def rewired(self, **changed: Any) -> Iterator[World]:
        """The same storage behind an application with other settings; without any, behind another process.

        One application for all tests that ask for the same settings, unless its connections are others.
        """
        if self.annex and changed and not changed.keys() & OF_ITS_OWN:
            yield self.annex(**changed)
            return
        settings = replace(self.settings, **changed)
        app = create_app(settings)
        app.jinja_env.bytecode_cache = self.app.jinja_env.bytecode_cache
        other = World(app, self.backends, settings)
        opened = other.platform
        try:
            yield other
        finally:
            opened.database.close()
            opened.store.close()

    def browser(
        self, *, address: str = "127.0.0.1", user_agent: str = "Mozilla/5.0 Firefox/130.0"
    ) -> Browser:
        """A browser nobody has used yet."""
        return Browser(self, self.app.test_client(), address, user_agent)

    def hash(self, password: str) -> str:
        """The hash of a password, made once: hashing is slow on purpose."""
        if password not in self.hashed:
            self.hashed[password] = self.platform.hasher.hash(password)
        return self.hashed[password]

    def a_person(self, *, password: str | None = PASSWORD, name: str = "林小满", **given: Any) -> APerson:
        """A natural person with account, phone and resident number."""
        number = next(_numbers)
        new = NewPerson(
            name=name,
            phone=given.get("phone", f"139{number:08d}"),
            id_number=given.get("id_number", a_resident_number(number)),
            account=given.get("account", f"person_{number}"),
            password_hash=self.hash(password) if password else None,
        )
        with self.backends.database.begin() as db:
            row = directory.add_person(db, self.backends.vault, new, now=self.now())
        return APerson(row, name, new.phone or "", new.id_number or "", new.account or "", password or "")

    def a_company(
        self,
        *,
        status: EnterpriseStatus = EnterpriseStatus.NORMAL,
        active: bool = True,
        password: str = PASSWORD,
    ) -> ACompany:
        """A company with its account; `active=False` leaves it 待激活."""
        number, representative = next(_numbers), self.a_person()
        code, name, account = a_credit_code(number), f"第{number}示例有限公司", f"company_{number}"
        with self.backends.database.begin() as db:
            holder = db.merge(representative.row)
            row = directory.add_enterprise(
                db, uscc=code, name=name, type_=EnterpriseType.COMPANY, representative=holder, now=self.now()
            )
            row.status = status.value
            if active and row.account:
                directory.activate(
                    db,
                    self.backends.vault,
                    row.account,
                    name=account,
                    password_hash=self.hash(password),
                    phone=representative.phone,
                    now=self.now(),
                )
        return ACompany(
            row, representative, code, name, account if active else "", password if active else ""
        )

    def an_operator(
        self,
        company: ACompany | None = None,
        person: APerson | None = None,
        *,
        first_day: date | None = None,
        last_day: date | None = None,
        must_change: bool = False,
        **rights: Any,
    ) -> AnOperator:
        """A mandate with a password of its own, live unless its days say otherwise."""
        company, person = company or self.a_company(), person or self.a_person()
        today = civil_day(self.now())
        new = NewMandate(
            first_day=first_day or today - timedelta(days=1),
            last_day=last_day or today + timedelta(days=30),
            phone=person.phone,
            **rights,
        )
        with self.backends.database.begin() as db:
            mandate = directory.add_mandate(
                db, self.backends.vault, db.merge(company.row), db.merge(person.row), new, now=self.now()
            )
            directory.set_mandate_password(
                db, mandate, self.hash(PASSWORD), must_change=must_change, now=self.now()
            )
        return AnOperator(mandate, person, company, person.phone)

    def a_client(self, **given: Any) -> AClient:
        """A registered first-party portal; any field of NewClient may be given."""
        fields: dict[str, Any] = {
            "name": "示例网厅",
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": ("https://portal.example/signed-out",),
            "grant_types": ("authorization_code", "refresh_token"),
            "scopes": ("openid", "profile", "phone", "identity", "entity", "offline_access"),
            "first_party": True,
        }
        with self.backends.database.begin() as db:
            client, secret = add_client(db, NewClient(**{**fields, **given}), production=True, now=self.now())
        announce_change(self.backends.store)
        return AClient(client.client_id, secret or "", next(iter(client.redirect_uris), ""))

    def a_totp(self, account: str, *, name: str = "手机验证器") -> str:
        """An authenticator app of the account with this key; its secret. No code is spent yet."""
        secret = totp.new_secret()
        with self.backends.database.begin() as db:
            factors.add_totp(
                db, self.backends.vault, account=account, name=name, secret=secret, step=0, now=self.now()
            )
        return secret

    def a_staff_member(self, role: StaffRole = StaffRole.ADMIN, *, name: str = "秦工") -> AStaffMember:
        """A staff member whose first sign-in is behind him, with a password and an authenticator app."""
        row = StaffMember(
            id=uuid7(),
            account=f"staff_{next(_numbers)}",
            role=role.value,
            password_hash=self.hash(PASSWORD),
            password_changed_at=self.now(),
            enrolled_at=self.now(),
            created_at=self.now(),
        )
        row.set_name(self.backends.vault, name)
        with self.backends.database.begin() as db:
            db.add(row)
        return AStaffMember(row, row.account, self.a_totp(row.key))

    def at_the_console(
        self, role: StaffRole = StaffRole.ADMIN, *, member: AStaffMember | None = None
    ) -> Browser:
        """A browser signed in at the console, without having gone through its sign-in."""
        member, browser = member or self.a_staff_member(role), self.browser()
        with self.backends.database.begin() as db:
            _, token = open_staff_session(
                db,
                db.merge(member.row),
                ("pwd", "otp"),
                Device(browser.user_agent, browser.address),
                life=timedelta(hours=8),
                now=self.now(),
            )
        host = urlsplit(self.settings.issuer).hostname or ""
        browser.client.set_cookie("idp_staff", token, domain=host)
        return browser

    def write(self) -> Any:
        """A session that commits, for arranging what no page does yet."""
        return self.backends.database.begin()

    def reading(self) -> Session:
        """A session for looking at what was stored."""
        return self.backends.database.session()


@dataclass
class Browser:
    """A browser with its own cookies, at an address."""

    world: World
    client: FlaskClient
    address: str
    user_agent: str
    page: Page | None = None

    def open(self, address: str, *, follow: bool = True, **kwargs: Any) -> Page:
        """Open an address of the provider; redirects are followed while they stay there."""
        return self._request("GET", address, follow=follow, **kwargs)

    def post(
        self, address: str, data: Mapping[str, Any] | None = None, *, follow: bool = True, **kwargs: Any
    ) -> Page:
        """Send a form by hand."""
        return self._request("POST", address, follow=follow, data=dict(data or {}), **kwargs)

    def submit(
        self, values: Mapping[str, str] | None = None, *, number: int = 0, follow: bool = True
    ) -> Page:
        """Fill fields of a form of the page by name, keep the others, and send it."""
        if self.page is None:
            raise AssertionError("no page is open")
        form = self.page.form(number)
        fields = {**form["fields"], **(values or {})}
        return self._request("POST", form["action"] or self.page.url, follow=follow, data=fields)

    def submit_with_captcha(self, values: Mapping[str, str], *, follow: bool = True) -> Page:
        """The same, with the right answer to the page's captcha."""
        if self.page is None:
            raise AssertionError("no page is open")
        captcha_id = self.page.form()["fields"]["captcha_id"]
        answer = captcha.answer(self.world.backends.store, captcha_id) or ""
        return self.submit({**values, "captcha": answer}, follow=follow)

    def sign_in_legal(self, company: ACompany, *, at: str = "/login/legal", follow: bool = True) -> Page:
        """Sign in as the company's legal representative."""
        self.open(at)
        return self.submit_with_captcha(
            {"account": company.uscc, "password": company.password}, follow=follow
        )

    def sign_in_operator(
        self, operator: AnOperator, *, at: str = "/login/operator", follow: bool = True
    ) -> Page:
        """Sign in as an operator."""
        self.open(at)
        values = {
            "enterprise": operator.company.uscc,
            "account": operator.phone,
            "password": operator.password,
        }
        return self.submit_with_captcha(values, follow=follow)

    def sign_in_person(self, person: APerson, *, at: str = "/login/person", follow: bool = True) -> Page:
        """Sign in as oneself."""
        self.open(at)
        return self.submit_with_captcha(
            {"account": person.account, "password": person.password}, follow=follow
        )

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, as the browser keeps it."""
        host = urlsplit(self.world.settings.issuer).hostname or ""
        found = self.client.get_cookie(name, domain=host)
        return found.value if found else None

    def _request(self, method: str, address: str, *, follow: bool, **kwargs: Any) -> Page:
        headers = {"User-Agent": self.user_agent, **kwargs.pop("headers", {})}
        environ = {"REMOTE_ADDR": self.address}
        issuer = self.world.settings.issuer
        url = address.removeprefix(issuer)
        response = self.client.open(
            url,
            method=method,
            base_url=issuer,
            headers=headers,
            environ_base=environ,
            buffered=True,  # so that files are closed
            **kwargs,
        )
        self.page = Page(response, url)
        hops = 0
        while follow and response.status_code in {301, 302, 303, 307, 308} and hops < 10:
            target = response.headers["Location"]
            if not target.startswith(("/", issuer)):
                break
            hops += 1
            url = target.removeprefix(issuer)
            response = self.client.get(
                url, base_url=issuer, headers={"User-Agent": self.user_agent}, environ_base=environ
            )
            self.page = Page(response, url)
        return self.page
