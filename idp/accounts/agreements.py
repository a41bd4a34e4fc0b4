"""The agreements somebody accepted when he got an account: which version, and when (B16).

The texts themselves are pages (:mod:`idp.web.pages`); a version that was ever accepted stays readable there.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.db import Base, uuid7

CURRENT: Final = {"terms": "2026-11", "privacy": "2026-11"}
"""Document to the version that is accepted today: 注册协议 and 隐私政策."""
VERSIONS: Final = {"terms": {"2026-11": date(2026, 11, 1)}, "privacy": {"2026-11": date(2026, 11, 1)}}
"""Every version that could ever be accepted, the newest first, and the day it came into force."""


class Acceptance(Base):
    """An account (a key) accepted a version of a document."""

    __tablename__ = "acceptances"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(48))
    document: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(16))
    accepted_at: Mapped[datetime]

    __table_args__ = (Index("ix_acceptances_account", "account"),)


def accept(
    db: Session, account: str, *, accepted_at: datetime, versions: dict[str, str] | None = None
) -> None:
    """Write down that `account` accepted `versions`, by default the current ones, when the form was sent."""
    for document, version in (versions or CURRENT).items():
        db.add(Acceptance(account=account, document=document, version=version, accepted_at=accepted_at))
