"""Uploaded files: a row for each, whose contents lie sealed on the disk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Add the table."""
    instant = idp.db.UtcDateTime(timezone=True)
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("location", sa.String(length=32), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("location", name=op.f("uq_stored_files_location")),
    )
    op.create_index("ix_stored_files_owner", "stored_files", ["owner"])
    op.create_index(
        "ix_stored_files_deleted_at",
        "stored_files",
        ["deleted_at"],
        postgresql_where=_DELETED,
        sqlite_where=_DELETED,
    )


def downgrade() -> None:
    """Take it away; what lies on the disk is unreadable from then on."""
    op.drop_index("ix_stored_files_deleted_at", table_name="stored_files")
    op.drop_index("ix_stored_files_owner", table_name="stored_files")
    op.drop_table("stored_files")
