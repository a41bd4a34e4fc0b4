"""What an installation may decide, chapter by chapter; ``docs/settings.md`` is generated from this file.

Each chapter checks its own values; what has to fit together is checked in ``settings``.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from idp.config.days import check_days
from idp.config.web_addresses import check_web_address


class Mode(StrEnum):
    """How strict the service is about its surroundings."""

    PRODUCTION = "production"
    DEMO = "demo"


class Chapter(BaseModel):
    """Settings that belong together. Durations are whole seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Installation(Chapter):
    """The installation: its address, stores, keys and surroundings."""

    mode: Mode = Field(
        Mode.PRODUCTION, description="`production`, or `demo`: loopback only, with demo routes."
    )
    issuer: str = Field(
        "http://localhost:8000", description="The issuer: https, or http on loopback; no trailing slash."
    )
    database_url: str = Field(
        "", description="`postgresql://…` or `sqlite:///…`; empty: SQLite in the var directory (demo only)."
    )
    database_pool: int = Field(10, ge=1, description="Database connections a process keeps.")
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


class Pages(Chapter):
    """What every page says of who runs the platform."""

    site_name: str = Field("通行", description="The platform's name on its pages.")
    hotline: str = Field("0431-0000-0000", description="Customer service phone on pages (A20).")
    hotline_hours: str = Field("工作日 8:30 至 17:30", description="When the hotline answers.")
    fax: str = Field("0431-0000-0001", description="Fax in the footer (A20, X18); empty: not shown.")
    icp: str = Field("", description="ICP registration in the footer (A23); empty: not shown.")
    police_record: str = Field("", description="公安网安备 number in the footer (A23); empty: not shown.")


class SignIns(Chapter):
    """Sign-ins: how long they live, and how fresh a proof has to be."""

    session_idle: int = Field(
        1800, ge=60, description="A sign-in unused by its browser for so long asks again."
    )
    session_lifetime: int = Field(28800, ge=300, description="No sign-in lives longer.")
    fresh_proof: int = Field(
        600, ge=60, le=3600, description="How long a proof counts as fresh where security is changed."
    )
    second_step_lifetime: int = Field(
        300, ge=60, le=900, description="How long a right password waits for its second step."
    )
    journey_lifetime: int = Field(
        1800, ge=300, le=7200, description="How long a registration, an activation or a reset may take."
    )
    captcha_lifetime: int = Field(120, ge=30, le=300, description="Life of a captcha.")
    known_browser_days: int = Field(180, ge=1, description="How long a browser stays known to an account.")


class Passwords(Chapter):
    """Account names, passwords, and how guessing at them is slowed."""

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


class Tokens(Chapter):
    """Codes, tokens and the keys that sign them."""

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


class Console(Chapter):
    """The staff console."""

    console: bool = Field(
        default=True,
        description="Whether this process serves the staff console; without it /staff is nothing here.",
    )
    staff_idle: int = Field(
        900, ge=60, le=1800, description="A sign-in at the console unused for so long asks again."
    )
    staff_lifetime: int = Field(28800, ge=300, description="No sign-in at the staff console lives longer.")
    invitation_lifetime: int = Field(
        86400, ge=300, description="Life of the link by which a staff member begins."
    )


class Messages(Chapter):
    """Messages by SMS: notices, codes, and the gateway they leave by."""

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


class Phones(Chapter):
    """The phone app, and the QR codes it scans."""

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


class Registers(Chapter):
    """Other parties that are asked: places, faces, and the registers of people and companies."""

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
    face_at_registration: bool = Field(
        default=True,
        description="Whether registering asks for the face (X9); it then needs a face service.",
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

    @field_validator("face_url", "social_security_url", "population_url", "registry_url")
    @classmethod
    def _is_a_web_address(cls, value: str, field: ValidationInfo) -> str:
        if value:
            check_web_address(f"IDP_{(field.field_name or '').upper()}", value)
        return value


class Appeals(Chapter):
    """Appeals, and the days they are counted in."""

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

    @field_validator("days_off", "workdays")
    @classmethod
    def _are_days(cls, value: str, field: ValidationInfo) -> str:
        check_days(f"IDP_{(field.field_name or '').upper()}", value)
        return value


class Uploads(Chapter):
    """Uploaded files."""

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
