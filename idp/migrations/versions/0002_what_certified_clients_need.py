"""Clients with keys and profiles, grants bound to keys, initial access tokens, the life of keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what the version before writes stays complete by server defaults."""
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "registration_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_registration_tokens_token_hash")),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("registration_tokens")
    for table, columns in _columns().items():
        for column in reversed(columns):
            op.drop_column(table, column.name)


def _columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        "clients": _client_columns(),
        "grants": [
            sa.Column("dpop_jkt", sa.String(length=43), nullable=True),
            sa.Column("resources", sa.JSON(), nullable=True),
            sa.Column("claims", sa.JSON(), nullable=True),
        ],
        "signing_keys": [
            sa.Column("activated_at", idp.db.UtcDateTime(timezone=True), nullable=True),
            sa.Column("removed_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        ],
    }


def _client_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("profile", sa.String(length=16), nullable=False, server_default="basic"),
        sa.Column("jwks", sa.JSON(), nullable=True),
        sa.Column("jwks_uri", sa.String(length=2000), nullable=True),
        sa.Column("assertion_alg", sa.String(length=16), nullable=True),
        sa.Column("request_object_alg", sa.String(length=16), nullable=True),
        sa.Column("require_signed_requests", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("require_par", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("dpop", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("resources", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("serves", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("default_acr_values", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("default_max_age", sa.Integer(), nullable=True),
        sa.Column("contacts", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("client_uri", sa.String(length=2000), nullable=True),
        sa.Column("registered_with", sa.Uuid(), nullable=True),
    ]
