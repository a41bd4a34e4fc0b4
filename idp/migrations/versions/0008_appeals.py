"""Appeals, which a person decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add their table."""
    instant = idp.db.UtcDateTime(timezone=True)
    op.create_table(
        "appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=True),
        sa.Column("told_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(length=33), nullable=False),
        sa.Column("operator_phone_index", sa.LargeBinary(length=33), nullable=False),
        sa.Column("remark_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("registry_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("registry_asked_at", instant, nullable=True),
        sa.Column("differences", sa.Integer(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("first_submitted_at", instant, nullable=True),
        sa.Column("submitted_at", instant, nullable=True),
        sa.Column("due_at", instant, nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", instant, nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", instant, nullable=True),
        sa.Column("asked_for", sa.JSON(), nullable=False),
        sa.Column("answer_until", instant, nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("basis", sa.String(length=44), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", instant, nullable=True),
        sa.Column("link_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("link_expires_at", instant, nullable=True),
        sa.Column("link_used_at", instant, nullable=True),
        sa.Column("papers_erased_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprises.id"], name=op.f("fk_appeals_enterprise_id")),
        sa.ForeignKeyConstraint(["claimed_by"], ["staff.id"], name=op.f("fk_appeals_claimed_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff.id"], name=op.f("fk_appeals_proposed_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_appeals_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("number", name=op.f("uq_appeals_number")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_appeals_link_hash")),
    )
    for name, *columns in (
        ("ix_appeals_state", "state", "due_at"),
        ("ix_appeals_uscc", "uscc"),
        ("ix_appeals_enterprise", "enterprise_id"),
        ("ix_appeals_claimed_by", "claimed_by", "state"),
        ("ix_appeals_decided_at", "decided_at"),
        ("ix_appeals_created_at", "created_at"),
    ):
        op.create_index(name, "appeals", list(columns))


def downgrade() -> None:
    """Take it away."""
    op.drop_table("appeals")
