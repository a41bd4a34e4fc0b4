"""Who may do what at the console: one row an address and method, and nothing else is open.

An address under ``/staff`` that has no row here is closed to everybody, and so is a method that its
row does not name. A test walks every cell.
"""

from __future__ import annotations

from idp.accounts.staff import StaffRole

Roles = frozenset[StaffRole]
OPEN: Roles | None = None
"""Nobody needs to be signed in."""
ALL: Roles = frozenset(StaffRole)
_ADMIN: Roles = frozenset({StaffRole.ADMIN})
_AUDIT: Roles = frozenset({StaffRole.AUDITOR})
_RUNNING: Roles = _ADMIN | _AUDIT
_SUPERVISING: Roles = frozenset({StaffRole.SUPERVISOR})
_HANDLING: Roles = _SUPERVISING | {StaffRole.SERVICE}

RIGHTS: dict[str, dict[str, Roles | None]] = {
    # Coming in and going out
    "staff_entry.sign_in": {"GET": OPEN, "POST": OPEN},
    "staff_entry.second": {"GET": OPEN, "POST": OPEN},
    "staff_entry.confirm": {"GET": ALL, "POST": ALL},
    "staff_entry.sign_out": {"POST": ALL},
    "staff_invitation.start": {"GET": OPEN, "POST": OPEN},
    "staff_invitation.password": {"GET": OPEN, "POST": OPEN},
    "staff_invitation.factor": {"GET": OPEN, "POST": OPEN},
    # One's own account
    "staff_me.security": {"GET": ALL},
    "staff_me.add_app": {"GET": ALL, "POST": ALL},
    "staff_me.add_passkey": {"GET": ALL, "POST": ALL},
    "staff_me.rename": {"GET": ALL, "POST": ALL},
    "staff_me.remove": {"GET": ALL, "POST": ALL},
    "staff_me.recovery": {"GET": ALL, "POST": ALL},
    "staff_me.codes": {"GET": ALL, "POST": ALL},
    "staff_me.password": {"GET": ALL, "POST": ALL},
    "staff_me.end_sign_in": {"POST": ALL},
    # The day at a glance
    "staff_overview.index": {"GET": ALL},
    "staff_overview.slash": {"GET": ALL},
    # Appeals
    "staff_appeals.index": {"GET": _HANDLING},
    "staff_appeals.next_one": {"POST": _HANDLING},
    "staff_appeals.appeal": {"GET": _HANDLING},
    "staff_appeals.claim": {"POST": _HANDLING},
    "staff_appeals.release": {"POST": _HANDLING},
    "staff_appeals.assign": {"POST": _SUPERVISING},
    "staff_appeals.compare": {"POST": _HANDLING},
    "staff_appeals.numbers": {"GET": _HANDLING, "POST": _HANDLING},
    "staff_appeals.paper": {"GET": _HANDLING},
    "staff_appeals.picture": {"GET": _HANDLING},
    "staff_appeals.file": {"GET": _HANDLING},
    "staff_appeals.decide": {"POST": _HANDLING},
    "staff_appeals.second": {"POST": _SUPERVISING},
    "staff_appeals.figures": {"GET": _SUPERVISING},
    "staff_appeals.export": {"POST": _SUPERVISING},
    # Messages that have not arrived
    "staff_deliveries.index": {"GET": _RUNNING},
    # Relying parties
    "staff_clients.index": {"GET": _ADMIN},
    "staff_clients.client": {"GET": _ADMIN},
    "staff_clients.add": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_clients.edit": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_clients.secret": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_clients.remove": {"GET": _ADMIN, "POST": _ADMIN},
    # Signing keys
    "staff_keys.index": {"GET": _ADMIN},
    "staff_keys.rotate": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_keys.remove": {"GET": _ADMIN, "POST": _ADMIN},
    # People and companies
    "staff_accounts.index": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_accounts.person": {"GET": _ADMIN},
    "staff_accounts.view": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_accounts.change": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_companies.index": {"GET": _ADMIN},
    "staff_companies.company": {"GET": _ADMIN},
    "staff_companies.view": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_companies.change": {"GET": _ADMIN, "POST": _ADMIN},
    "staff_companies.change_mandate": {"GET": _ADMIN, "POST": _ADMIN},
    # The trail
    "staff_audit.index": {"GET": _AUDIT},
    "staff_audit.event": {"GET": _AUDIT},
    "staff_audit.export": {"POST": _AUDIT},
    "staff_audit.checks": {"GET": _AUDIT},
    "staff_audit.ask_for_check": {"POST": _AUDIT},
}
"""Endpoint to method to the roles it is granted to."""

MENU = (
    ("今日概览", "staff_overview.index"),
    ("账号申诉", "staff_appeals.index"),
    ("应用接入", "staff_clients.index"),
    ("签名密钥", "staff_keys.index"),
    ("账号", "staff_accounts.index"),
    ("企业", "staff_companies.index"),
    ("审计", "staff_audit.index"),
    ("我的账号", "staff_me.security"),
)
"""The pages of the console's menu: name and endpoint. A role sees those it may open."""


def granted(endpoint: str, method: str) -> Roles | None:
    """The roles that may call `endpoint` by `method`; OPEN where nobody need be signed in."""
    return RIGHTS.get(endpoint, {}).get("GET" if method == "HEAD" else method, frozenset())
