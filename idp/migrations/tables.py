"""Every table in one import, for migrations and for tests that make an empty database."""

from __future__ import annotations

import idp.access.clients
import idp.access.consents
import idp.access.grants
import idp.access.keys
import idp.access.refresh_tokens
import idp.access.registration_tokens
import idp.accounts.agreements
import idp.accounts.app_pins
import idp.accounts.audit
import idp.accounts.audit_checks
import idp.accounts.factors
import idp.accounts.files
import idp.accounts.models
import idp.accounts.notices
import idp.accounts.outbox
import idp.accounts.sessions
import idp.accounts.staff
import idp.appeal.models  # noqa: F401 - importing registers the tables
from idp.db import Base

metadata = Base.metadata
