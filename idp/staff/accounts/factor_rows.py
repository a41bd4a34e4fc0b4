"""Second factors as an administrator sees them: which kind, since when, and which are suspiciously new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.accounts.factors import Factor
from idp.proof.enrolment import KINDS
from idp.web.render import minute

RECENT = timedelta(days=7)
"""Who steals a password adds a factor of his own soon; a notice's 不是我 works for about as long."""


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One factor in words. Its name is what somebody typed, so it stays with its owner."""

    kind: str
    added: str
    recent: bool


def factor_rows(factors: Sequence[Factor], *, now: datetime) -> list[FactorRow]:
    """The factors of an account, in their order; `recent` for those added in the last seven days."""
    return [
        FactorRow(KINDS[one.kind], minute(one.created_at), now - one.created_at <= RECENT) for one in factors
    ]
