"""What an installation may decide; ``docs/settings.md`` is generated from this file."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from idp.config.days import check_days
from idp.config.web_addresses import check_web_address, host_of, is_loopback


class Mode(StrEnum):
    """How strict the service is about its surroundings."""

    PRODUCTION = "production"
    DEMO = "demo"


class Settings(BaseModel):
    """What an installation may decide. Durations are whole seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        Mode.PRODUCTION, description="`production`, or `demo`: loopback only, with demo routes."
    )
    issuer: str = Field(
        "http://localhost:8000", description="The issuer: https, or http on loopback; no trailing slash."
    )
    database_url: str = Field(
        "", description="`postgresql://…` or `sqlite:///…`; empty: SQLite in the var directory (demo only)."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="`redis://…` for the ephemeral store; empty: a SQLite file in the var directory.",
    )
    redis_prefix: str = Field(
        "idp:", description="What every key in Redis begins with, where several share one."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="At least 32 random characters; signs cookies and derives successor tokens.",
    )
    data_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys for personal data at rest: `id:base64` of 32 bytes, comma-separated, ids 1–255. "
        "The first one encrypts, all decrypt.",
    )
    var_dir: Path = Field(
        Path("var"), description="Where an embedded installation keeps its files and secrets."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks whose X-Forwarded-For and -Proto are believed, comma-separated.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of /metrics; empty: /metrics is closed."
    )
    demo_port_base: int = Field(
        8000, ge=1024, le=65000, description="First port of the demo; the others follow."
    )

    session_idle: int = Field(
        1800, ge=60, description="A sign-in unused by its browser for so long asks again."
    )
    session_lifetime: int = Field(28800, ge=300, description="No sign-in lives longer.")
    console: bool = Field(
        default=True,
        description="Whether this process serves the staff console; without it /staff is nothing here.",
    )
    staff_idle: int = Field(900, ge=60, le=1800, description="The same of a sign-in at the staff console.")
    staff_lifetime: int = Field(28800, ge=300, description="No sign-in at the staff console lives longer.")
    fresh_proof: int = Field(
        600, ge=60, le=3600, description="How long a proof counts as fresh where security is changed."
    )
    second_step_lifetime: int = Field(
        300, ge=60, le=900, description="How long a right password waits for its second step."
    )
    invitation_lifetime: int = Field(
        86400, ge=300, description="Life of the link by which a staff member begins."
    )
    notice_days: int = Field(7, ge=1, le=30, description="How long the 不是我 of a notice works.")
    notices_a_day: int = Field(
        10, ge=1, description="Notices of one kind an account gets in a day; further ones are not sent."
    )
    sms_url: str = Field(
        "", description="Where SMS are posted to (docs/sms.md); empty: none leave, except in the demo."
    )
    sms_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    sms_vendor: Literal["", "tencent"] = Field(
        "", description="`tencent`: SMS leave by Tencent Cloud instead of that address."
    )
    sms_vendor_config: SecretStr = Field(
        SecretStr(""), description="JSON: the account at the vendor and its templates (docs/sms.md)."
    )
    sms_receipt_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token with which the gateway reports what arrived; empty: it reports nothing.",
    )
    sms_send_within: int = Field(
        60, ge=10, le=300, description="A code not sent within so long is dropped, and counts for nothing."
    )
    sms_code_lifetime: int = Field(300, ge=60, le=300, description="Life of a code sent by SMS.")
    sms_resend: int = Field(60, ge=30, le=600, description="A phone is sent its next code after so long.")
    sms_a_day: int = Field(
        10, ge=1, description="Codes a phone gets in a day; registering and moving may use half of them."
    )
    sms_an_address: int = Field(
        30, ge=1, description="Codes an address asks for in an hour; offices share one address."
    )
    sms_an_hour: int = Field(5000, ge=1, description="Codes in an hour, to all phones together.")
    app_url: str = Field(
        "",
        description="Origin of the phone app (打开吉事办); empty: nobody is offered a scan.",
    )
    app_android_url: str = Field("", description="Where /app sends Android phones; empty: the app's origin.")
    app_ios_url: str = Field("", description="Where /app sends iPhones; empty: the app's origin.")
    app_idle: int = Field(
        2592000, ge=3600, description="A phone's sign-in that asked for no token for so long has ended."
    )
    app_lifetime: int = Field(15552000, ge=86400, description="No sign-in of a phone lives longer.")
    ticket_lifetime: int = Field(120, ge=30, le=180, description="How long a QR code can be scanned.")
    ticket_renewal: int = Field(
        600, ge=60, le=3600, description="How long a page renews its QR code by itself; then it asks."
    )
    tickets_an_address: int = Field(
        600, ge=1, description="QR codes an address gets in ten minutes; offices share one address."
    )
    scans_an_account: int = Field(60, ge=1, description="Scans and confirmations of a person in an hour.")
    places_file: str = Field(
        "", description="CSV of networks and their places (docs/places.md); empty: every place is unknown."
    )
    face_url: str = Field(
        "", description="The face service (docs/face.md); empty: nobody is asked for his face."
    )
    face_key: SecretStr = Field(
        SecretStr(""), description="At least 32 characters: signs what is said to it, and what it says."
    )
    face_lifetime: int = Field(300, ge=60, le=900, description="How long a face check may take.")
    face_checks_an_address: int = Field(
        300, ge=1, description="Face checks an address asks for in an hour; offices share one address."
    )
    social_security_url: str = Field(
        "", description="Who knows 电子社保卡 and operators; empty: nobody scans with his card."
    )
    social_security_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    population_url: str = Field(
        "",
        description="The people registry (docs/registries.md); empty: no person can be checked there.",
    )
    population_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    registry_url: str = Field(
        "",
        description="The business registry (docs/registries.md); empty: no company can be checked there.",
    )
    registry_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    face_at_registration: bool = Field(
        default=True,
        description="Whether registering asks for the face (X9); it then needs a face service.",
    )
    journey_lifetime: int = Field(
        1800, ge=300, le=7200, description="How long a registration, an activation or a reset may take."
    )
    appeal_due_days: int = Field(
        3,
        ge=1,
        le=30,
        description="Working days from an appeal's submission to its due day (section Y).",
    )
    appeal_answer_days: int = Field(
        5, ge=1, le=60, description="Working days to send in what an appeal lacks; then it ends."
    )
    appeal_draft_days: int = Field(7, ge=1, le=30, description="How long an unfinished appeal is kept.")
    appeal_link_hours: int = Field(
        72, ge=1, le=168, description="Life of the link by which an approved appeal's password is set."
    )
    appeal_keep_days: int = Field(
        180, ge=1, le=3650, description="How long an appeal's papers are kept after the decision (section Y)."
    )
    appeals_a_phone: int = Field(5, ge=1, description="Appeals begun with one phone in a day.")
    days_off: str = Field(
        "", description="Working days that are holidays, comma-separated (`2026-10-01,…`), for due dates."
    )
    workdays: str = Field(
        "", description="Saturdays and Sundays that are worked on, comma-separated, for due dates."
    )
    files_dir: str = Field("", description="Where uploaded files lie, sealed; empty: in the var directory.")
    files_spare_mb: int = Field(512, ge=0, description="MB that uploads leave free on that disk.")
    upload_file_mb: int = Field(10, ge=1, le=50, description="MB of the largest file (section Y).")
    upload_owner_mb: int = Field(40, ge=1, le=500, description="MB of all files of an appeal (section Y).")
    upload_seconds: int = Field(120, ge=1, le=900, description="How long sending a form with files may take.")
    uploads_at_once: int = Field(8, ge=1, description="Forms with files one process receives at once.")
    uploads_a_browser_mb: int = Field(120, ge=1, description="MB that a browser sends in an hour.")
    uploads_an_address_mb: int = Field(
        600, ge=1, description="MB that an address sends in an hour; offices share one address."
    )
    clamav_address: str = Field(
        "", description="The malware scanner, clamd: `host:port` or the path of its socket; empty: none."
    )
    clamav_required: bool = Field(default=True, description="Whether files are refused while it is silent.")
    code_lifetime: int = Field(60, ge=10, le=600, description="Life of an authorization code.")
    token_lifetime: int = Field(
        600, ge=30, le=3600, description="Life of an access token and of an ID token."
    )
    pending_lifetime: int = Field(
        1800, ge=60, description="How long an authorization request waits for a sign-in."
    )
    key_rotation_days: int = Field(
        90, ge=0, le=3650, description="The worker rotates a signing key that signed for so long; 0: never."
    )
    refresh_grace: int = Field(
        30, ge=0, le=300, description="A repeated refresh gets the same successor for so long."
    )
    captcha_lifetime: int = Field(120, ge=30, le=300, description="Life of a captcha.")
    known_browser_days: int = Field(180, ge=1, description="How long a browser stays known to an account.")

    account_min: int = Field(6, ge=3, description="Shortest account name (X1).")
    account_max: int = Field(20, le=64, description="Longest account name (X1).")
    password_min: int = Field(8, ge=8, description="Shortest password (X2).")
    password_max: int = Field(128, ge=64, le=1024, description="Longest password (X2).")
    password_kinds: int = Field(
        2, ge=1, le=3, description="How many of digits, letters, symbols a password needs (X2)."
    )
    argon2_memory_kib: int = Field(19456, ge=8192, description="Argon2id memory, KiB.")
    argon2_time: int = Field(2, ge=1, description="Argon2id passes.")
    argon2_lanes: int = Field(1, ge=1, description="Argon2id lanes.")
    hash_slots: int = Field(2, ge=1, description="Password hashes that run at once in one process.")
    hash_queue: int = Field(
        8, ge=0, description="Password checks that may wait for a slot; more are answered 503."
    )

    throttle_failures: int = Field(
        5, ge=1, description="Failed tries of one kind of browser before waiting begins."
    )
    throttle_wait: int = Field(60, ge=1, description="First wait; it doubles with each further failure.")
    throttle_wait_max: int = Field(900, ge=1, description="Longest wait.")
    throttle_spray: int = Field(
        20, ge=1, description="Accounts an address may fail on in an hour before it is slowed."
    )

    site_name: str = Field("通行", description="The platform's name on its pages.")
    hotline: str = Field("0431-0000-0000", description="Customer service phone on pages (A20).")
    hotline_hours: str = Field("工作日 8:30 至 17:30", description="When the hotline answers.")
    fax: str = Field("0431-0000-0001", description="Fax in the footer (A20, X18); empty: not shown.")
    icp: str = Field("", description="ICP registration in the footer (A23); empty: not shown.")
    police_record: str = Field("", description="公安网安备 number in the footer (A23); empty: not shown.")

    database_pool: int = Field(10, ge=1, description="Database connections a process keeps.")

    @field_validator("face_url", "social_security_url", "population_url", "registry_url")
    @classmethod
    def _is_a_web_address(cls, value: str, field: ValidationInfo) -> str:
        if value:
            check_web_address(f"IDP_{(field.field_name or '').upper()}", value)
        return value

    @field_validator("app_android_url", "app_ios_url")
    @classmethod
    def _is_a_stores_address(cls, value: str, field: ValidationInfo) -> str:
        if value:
            # A store names its apps in the query.
            check_web_address(f"IDP_{(field.field_name or '').upper()}", value.partition("?")[0])
        return value

    @field_validator("app_url")
    @classmethod
    def _app_is_an_origin(cls, value: str) -> str:
        if value:
            check_web_address("IDP_APP_URL", value, is_origin=True)
        return value

    @field_validator("days_off", "workdays")
    @classmethod
    def _are_days(cls, value: str, field: ValidationInfo) -> str:
        check_days(f"IDP_{(field.field_name or '').upper()}", value)
        return value

    @field_validator("issuer")
    @classmethod
    def _issuer_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            msg = "IDP_ISSUER must be an http(s) address without query or fragment."
            raise ValueError(msg)
        if parts.path:
            msg = "IDP_ISSUER must have no path and no trailing slash."
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for item in filter(None, (part.strip() for part in value.split(","))):
            ipaddress.ip_network(item, strict=False)
        return value

    @model_validator(mode="after")
    def _surroundings_fit_the_mode(self) -> Settings:
        problems = self._problems()
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _problems(self) -> list[str]:
        problems = []
        loopback = is_loopback(urlsplit(self.issuer).hostname or "")
        if self.mode is Mode.DEMO and not loopback:
            problems.append("Demo mode runs on loopback only: IDP_ISSUER must be localhost.")
        if self.mode is Mode.PRODUCTION and not self.issuer.startswith("https://") and not loopback:
            problems.append("IDP_ISSUER must be https in production.")
        if self.mode is Mode.PRODUCTION and not self.database_url:
            problems.append("IDP_DATABASE_URL is required in production.")
        secret = self.secret_key.get_secret_value()
        if len(secret) < 32 or len(set(secret)) < 10:
            problems.append("IDP_SECRET_KEY must be at least 32 random characters.")
        problems += self._face_problems(is_on_loopback=loopback)
        problems += self._sms_problems()
        try:
            self.data_key_map()
        except (ValueError, binascii.Error):
            problems.append("IDP_DATA_KEYS must be id:base64 of 32 bytes, comma-separated.")
        return problems

    def _face_problems(self, *, is_on_loopback: bool) -> list[str]:
        """What is wrong with the face service that is named."""
        if not self.face_url:
            return []
        problems, key = [], self.face_key.get_secret_value()
        if len(key) < 32 or len(set(key)) < 10:
            problems.append("IDP_FACE_KEY must be at least 32 random characters, 10 of them different.")
        if self.mode is Mode.PRODUCTION and not is_on_loopback and is_loopback(host_of(self.face_url)):
            problems.append("IDP_FACE_URL must not be on loopback in production: browsers cannot reach it.")
        return problems

    def _sms_problems(self) -> list[str]:
        """What is wrong with how SMS leave, and come back as reports."""
        problems, token = [], self.sms_receipt_token.get_secret_value()
        if self.sms_vendor and self.sms_url:
            problems.append("IDP_SMS_URL and IDP_SMS_VENDOR exclude one another.")
        if token and (len(token) < 32 or len(set(token)) < 10):
            problems.append("IDP_SMS_RECEIPT_TOKEN must be at least 32 random characters.")
        return problems

    @property
    def demo(self) -> bool:
        """Whether demo routes exist."""
        return self.mode is Mode.DEMO

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure and carry the __Host- prefix: whenever the issuer is https."""
        return self.issuer.startswith("https://")

    def seconds(self, name: str) -> timedelta:
        """The duration setting `name` as a timedelta."""
        return timedelta(seconds=getattr(self, name))

    def data_key_map(self) -> dict[int, bytes]:
        """Key id to 32-byte key, the encrypting one first. Raises ValueError when malformed."""
        keys: dict[int, bytes] = {}
        for item in self.data_keys.get_secret_value().split(","):
            key_id, _, encoded = item.strip().partition(":")
            key = base64.b64decode(encoded, validate=True)
            if len(key) != 32 or not 1 <= int(key_id) <= 255 or int(key_id) in keys:
                raise ValueError(item)
            keys[int(key_id)] = key
        return keys

    def proxy_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks named in `trusted_proxies`."""
        parts = (part.strip() for part in self.trusted_proxies.split(","))
        return [ipaddress.ip_network(part, strict=False) for part in parts if part]

    def effective_files_dir(self) -> Path:
        """Where uploaded files lie, by default in the var directory."""
        return Path(self.files_dir) if self.files_dir else self.var_dir / "files"

    def effective_database_url(self) -> str:
        """The database to use, by default SQLite in the var directory."""
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'idp.db'}"
