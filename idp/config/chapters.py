"""What an installation may decide, chapter by chapter; ``docs/settings.md`` is generated from this file.

Each chapter checks its own values; what has to fit together is checked in ``settings``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from idp.config.days import check_days
from idp.config.fields import Chapter, Secret, setting
from idp.config.web_addresses import (
    check_issuer,
    check_networks,
    check_origin,
    check_store_address,
    check_web_address,
)


class Mode(StrEnum):
    """How strict the service is about its surroundings."""

    PRODUCTION = "production"
    DEMO = "demo"


@dataclass(frozen=True, kw_only=True)
class Installation(Chapter):
    """The installation: its address, stores, keys and surroundings."""

    mode: Mode = setting(Mode.PRODUCTION, "`production`, or `demo`: loopback only, with demo routes.")
    issuer: str = setting(
        "http://localhost:8000",
        "The issuer: https, or http on loopback; no trailing slash.",
        check=check_issuer,
    )
    database_url: str = setting(
        "", "`postgresql://…` or `sqlite:///…`; empty: SQLite in the var directory (demo only)."
    )
    database_pool: int = setting(10, "Database connections a process keeps.", least=1)
    redis_url: Secret = setting(
        Secret(""),
        "`redis://…`, `rediss://…` or `unix://…` for the ephemeral store; empty: a SQLite file in the var "
        "directory.",
    )
    redis_prefix: str = setting("idp:", "What every key in Redis begins with, where several share one.")
    secret_key: Secret = setting(
        Secret(""), "At least 32 random characters; signs cookies and derives successor tokens."
    )
    data_keys: Secret = setting(
        Secret(""),
        "Keys for personal data at rest: `id:base64` of 32 bytes, comma-separated, ids 1–255. "
        "The first one encrypts, all decrypt.",
    )
    var_dir: Path = setting(Path("var"), "Where an embedded installation keeps its files and secrets.")
    trusted_proxies: str = setting(
        "",
        "Addresses or networks whose X-Forwarded-For and -Proto are believed, comma-separated.",
        check=check_networks,
    )
    metrics_token: Secret = setting(Secret(""), "Bearer token of /metrics; empty: /metrics is closed.")
    demo_port_base: int = setting(8000, "First port of the demo; the others follow.", least=1024, most=65000)


@dataclass(frozen=True, kw_only=True)
class Pages(Chapter):
    """What every page says of who runs the platform."""

    site_name: str = setting("通行", "The platform's name on its pages.")
    hotline: str = setting("0431-0000-0000", "Customer service phone on pages (A20).")
    hotline_hours: str = setting("工作日 8:30 至 17:30", "When the hotline answers.")
    fax: str = setting("0431-0000-0001", "Fax in the footer (A20, X18); empty: not shown.")
    icp: str = setting("", "ICP registration in the footer (A23); empty: not shown.")
    police_record: str = setting("", "公安网安备 number in the footer (A23); empty: not shown.")


@dataclass(frozen=True, kw_only=True)
class SignIns(Chapter):
    """Sign-ins: how long they live, and how fresh a proof has to be."""

    session_idle: int = setting(1800, "A sign-in unused by its browser for so long asks again.", least=60)
    session_lifetime: int = setting(28800, "No sign-in lives longer.", least=300)
    fresh_proof: int = setting(
        600, "How long a proof counts as fresh where security is changed.", least=60, most=3600
    )
    second_step_lifetime: int = setting(
        300, "How long a right password waits for its second step.", least=60, most=900
    )
    journey_lifetime: int = setting(
        1800, "How long a registration, an activation or a reset may take.", least=300, most=7200
    )
    captcha_lifetime: int = setting(120, "Life of a captcha.", least=30, most=300)
    known_browser_days: int = setting(180, "How long a browser stays known to an account.", least=1)


@dataclass(frozen=True, kw_only=True)
class Passwords(Chapter):
    """Account names, passwords, and how guessing at them is slowed."""

    account_min: int = setting(6, "Shortest account name (X1).", least=3)
    account_max: int = setting(20, "Longest account name (X1).", most=64)
    password_min: int = setting(8, "Shortest password (X2).", least=8)
    password_max: int = setting(128, "Longest password (X2).", least=64, most=1024)
    password_kinds: int = setting(
        2, "How many of digits, letters, symbols a password needs (X2).", least=1, most=3
    )
    argon2_memory_kib: int = setting(19456, "Argon2id memory, KiB.", least=8192)
    argon2_time: int = setting(2, "Argon2id passes.", least=1)
    argon2_lanes: int = setting(1, "Argon2id lanes.", least=1)
    hash_slots: int = setting(2, "Password hashes that run at once in one process.", least=1)
    hash_queue: int = setting(8, "Password checks that may wait for a slot; more are answered 503.", least=0)
    throttle_failures: int = setting(5, "Failed tries of one kind of browser before waiting begins.", least=1)
    throttle_wait: int = setting(60, "First wait; it doubles with each further failure.", least=1)
    throttle_wait_max: int = setting(900, "Longest wait.", least=1)
    throttle_spray: int = setting(
        20, "Accounts an address may fail on in an hour before it is slowed.", least=1
    )


@dataclass(frozen=True, kw_only=True)
class Tokens(Chapter):
    """Codes, tokens and the keys that sign them."""

    code_lifetime: int = setting(60, "Life of an authorization code.", least=10, most=600)
    token_lifetime: int = setting(600, "Life of an access token and of an ID token.", least=30, most=3600)
    pending_lifetime: int = setting(1800, "How long an authorization request waits for a sign-in.", least=60)
    key_rotation_days: int = setting(
        90, "The worker rotates a signing key that signed for so long; 0: never.", least=0, most=3650
    )
    refresh_grace: int = setting(
        30, "A repeated refresh gets the same successor for so long.", least=0, most=300
    )


@dataclass(frozen=True, kw_only=True)
class Console(Chapter):
    """The staff console."""

    console: bool = setting(
        default=True,
        description="Whether this process serves the staff console; without it /staff is nothing here.",
    )
    staff_idle: int = setting(
        900, "A sign-in at the console unused for so long asks again.", least=60, most=1800
    )
    staff_lifetime: int = setting(28800, "No sign-in at the staff console lives longer.", least=300)
    invitation_lifetime: int = setting(86400, "Life of the link by which a staff member begins.", least=300)


@dataclass(frozen=True, kw_only=True)
class Messages(Chapter):
    """Messages by SMS: notices, codes, and the gateway they leave by."""

    notice_days: int = setting(7, "How long the 不是我 of a notice works.", least=1, most=30)
    notices_a_day: int = setting(
        10, "Notices of one kind an account gets in a day; further ones are not sent.", least=1
    )
    sms_url: str = setting(
        "", "Where SMS are posted to (docs/sms.md); empty: none leave, except in the demo."
    )
    sms_token: Secret = setting(Secret(""), "Bearer token for that address.")
    sms_vendor: Literal["", "tencent"] = setting(
        "", "`tencent`: SMS leave by Tencent Cloud instead of that address."
    )
    sms_vendor_config: Secret = setting(
        Secret(""), "JSON: the account at the vendor and its templates (docs/sms.md)."
    )
    sms_receipt_token: Secret = setting(
        Secret(""), "Bearer token with which the gateway reports what arrived; empty: it reports nothing."
    )
    sms_send_within: int = setting(
        60, "A code not sent within so long is dropped, and counts for nothing.", least=10, most=300
    )
    sms_code_lifetime: int = setting(300, "Life of a code sent by SMS.", least=60, most=300)
    sms_resend: int = setting(60, "A phone is sent its next code after so long.", least=30, most=600)
    sms_a_day: int = setting(
        10, "Codes a phone gets in a day; registering and moving may use half of them.", least=1
    )
    sms_an_address: int = setting(
        30, "Codes an address asks for in an hour; offices share one address.", least=1
    )
    sms_an_hour: int = setting(5000, "Codes in an hour, to all phones together.", least=1)


@dataclass(frozen=True, kw_only=True)
class Phones(Chapter):
    """The phone app, and the QR codes it scans."""

    app_url: str = setting(
        "", "Origin of the phone app (打开吉事办); empty: nobody is offered a scan.", check=check_origin
    )
    app_android_url: str = setting(
        "", "Where /app sends Android phones; empty: the app's origin.", check=check_store_address
    )
    app_ios_url: str = setting(
        "", "Where /app sends iPhones; empty: the app's origin.", check=check_store_address
    )
    app_idle: int = setting(
        2592000, "A phone's sign-in that asked for no token for so long has ended.", least=3600
    )
    app_lifetime: int = setting(15552000, "No sign-in of a phone lives longer.", least=86400)
    ticket_lifetime: int = setting(120, "How long a QR code can be scanned.", least=30, most=180)
    ticket_renewal: int = setting(
        600, "How long a page renews its QR code by itself; then it asks.", least=60, most=3600
    )
    tickets_an_address: int = setting(
        600, "QR codes an address gets in ten minutes; offices share one address.", least=1
    )
    scans_an_account: int = setting(60, "Scans and confirmations of a person in an hour.", least=1)


@dataclass(frozen=True, kw_only=True)
class Registers(Chapter):
    """Other parties that are asked: places, faces, and the registers of people and companies."""

    places_file: str = setting(
        "", "CSV of networks and their places (docs/places.md); empty: every place is unknown."
    )
    face_url: str = setting(
        "", "The face service (docs/face.md); empty: nobody is asked for his face.", check=check_web_address
    )
    face_key: Secret = setting(
        Secret(""), "At least 32 characters: signs what is said to it, and what it says."
    )
    face_lifetime: int = setting(300, "How long a face check may take.", least=60, most=900)
    face_checks_an_address: int = setting(
        300, "Face checks an address asks for in an hour; offices share one address.", least=1
    )
    face_at_registration: bool = setting(
        default=True, description="Whether registering asks for the face (X9); it then needs a face service."
    )
    social_security_url: str = setting(
        "", "Who knows 电子社保卡 and operators; empty: nobody scans with his card.", check=check_web_address
    )
    social_security_token: Secret = setting(Secret(""), "Bearer token for that address.")
    population_url: str = setting(
        "",
        "The people registry (docs/registries.md); empty: no person can be checked there.",
        check=check_web_address,
    )
    population_token: Secret = setting(Secret(""), "Bearer token for that address.")
    registry_url: str = setting(
        "",
        "The business registry (docs/registries.md); empty: no company can be checked there.",
        check=check_web_address,
    )
    registry_token: Secret = setting(Secret(""), "Bearer token for that address.")


@dataclass(frozen=True, kw_only=True)
class Appeals(Chapter):
    """Appeals, and the days they are counted in."""

    appeal_due_days: int = setting(
        3, "Working days from an appeal's submission to its due day (section Y).", least=1, most=30
    )
    appeal_answer_days: int = setting(
        5, "Working days to send in what an appeal lacks; then it ends.", least=1, most=60
    )
    appeal_draft_days: int = setting(7, "How long an unfinished appeal is kept.", least=1, most=30)
    appeal_link_hours: int = setting(
        72, "Life of the link by which an approved appeal's password is set.", least=1, most=168
    )
    appeal_keep_days: int = setting(
        180, "How long an appeal's papers are kept after the decision (section Y).", least=1, most=3650
    )
    appeals_a_phone: int = setting(5, "Appeals begun with one phone in a day.", least=1)
    days_off: str = setting(
        "",
        "Working days that are holidays, comma-separated (`2026-10-01,…`), for due dates.",
        check=check_days,
    )
    workdays: str = setting(
        "", "Saturdays and Sundays that are worked on, comma-separated, for due dates.", check=check_days
    )


@dataclass(frozen=True, kw_only=True)
class Uploads(Chapter):
    """Uploaded files."""

    files_dir: str = setting("", "Where uploaded files lie, sealed; empty: in the var directory.")
    files_spare_mb: int = setting(512, "MB that uploads leave free on that disk.", least=0)
    upload_file_mb: int = setting(10, "MB of the largest file (section Y).", least=1, most=50)
    upload_owner_mb: int = setting(40, "MB of all files of an appeal (section Y).", least=1, most=500)
    upload_seconds: int = setting(120, "How long sending a form with files may take.", least=1, most=900)
    uploads_at_once: int = setting(8, "Forms with files one process receives at once.", least=1)
    uploads_a_browser_mb: int = setting(120, "MB that a browser sends in an hour.", least=1)
    uploads_an_address_mb: int = setting(
        600, "MB that an address sends in an hour; offices share one address.", least=1
    )
    clamav_address: str = setting(
        "", "The malware scanner, clamd: `host:port` or the path of its socket; empty: none."
    )
    clamav_required: bool = setting(default=True, description="Whether files are refused while it is silent.")
