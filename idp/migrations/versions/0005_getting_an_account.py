"""Getting an account: agreements accepted, people brought over, codes to phones as a second factor.

And messages that say what became of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_REFERRED = sa.text("reference IS NOT NULL")


def upgrade() -> None:
    """Add them; what the version before writes stays complete, as the columns may be empty."""
    instant = idp.db.UtcDateTime(timezone=True)
    op.create_table(
        "acceptances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("document", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("accepted_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptances")),
    )
    op.create_index("ix_acceptances_account", "acceptances", ["account"])
    op.create_table(
        "sms_factors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("last_used_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_factors")),
        sa.UniqueConstraint("account", name=op.f("uq_sms_factors_account")),
    )
    op.add_column(
        "people", sa.Column("brought_from", sa.String(length=40), server_default="", nullable=False)
    )
    op.add_column("outbox", sa.Column("expires_at", instant, nullable=True))
    op.add_column("outbox", sa.Column("reference", sa.String(length=120), nullable=True))
    op.add_column("outbox", sa.Column("reported_at", instant, nullable=True))
    op.add_column("outbox", sa.Column("report", sa.String(length=200), server_default="", nullable=False))
    op.create_index(
        "ix_outbox_reference", "outbox", ["reference"], postgresql_where=_REFERRED, sqlite_where=_REFERRED
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_outbox_reference", table_name="outbox")
    for column in ("report", "reported_at", "reference", "expires_at"):
        op.drop_column("outbox", column)
    op.drop_column("people", "brought_from")
    op.drop_table("sms_factors")
    op.drop_index("ix_acceptances_account", table_name="acceptances")
    op.drop_table("acceptances")
