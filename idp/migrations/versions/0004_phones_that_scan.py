"""Phones that scan: their sign-ins, the PIN that unlocks them, and which app a client is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what the version before writes stays complete, as the columns may be empty."""
    op.create_table(
        "app_pins",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("pin_hash", sa.String(length=255), nullable=False),
        sa.Column("set_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("agreement", sa.String(length=16), nullable=False),
        sa.Column("agreed_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_app_pins_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_app_pins")),
    )
    op.add_column("clients", sa.Column("channel", sa.String(length=32), nullable=True))
    op.add_column("signin_sessions", sa.Column("app", sa.String(length=64), nullable=True))
    op.add_column("signin_sessions", sa.Column("opened_by", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_signin_sessions_opened_by",
        "signin_sessions",
        ["opened_by"],
        postgresql_where=sa.text("opened_by IS NOT NULL"),
        sqlite_where=sa.text("opened_by IS NOT NULL"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_signin_sessions_opened_by", table_name="signin_sessions")
    op.drop_column("signin_sessions", "opened_by")
    op.drop_column("signin_sessions", "app")
    op.drop_column("clients", "channel")
    op.drop_table("app_pins")
