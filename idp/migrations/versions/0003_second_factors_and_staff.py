"""Second factors, notices, the people who run the platform, and verifications of the trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import idp.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what the version before writes stays complete by server defaults."""
    op.create_table(
        "audit_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("head_number", sa.Integer(), nullable=True),
        sa.Column("head_digest", sa.String(length=64), nullable=True),
        sa.Column("mac", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checks")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("denied_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_notices_token_hash")),
    )
    op.create_index("ix_notices_account", "notices", ["account", "created_at"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("code_index", sa.LargeBinary(length=33), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_account", "recovery_codes", ["account"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_changed_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("enrolled_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("suspended_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("account", name=op.f("uq_staff_account")),
    )
    op.create_table(
        "totp_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_secrets")),
    )
    op.create_index("ix_totp_secrets_account", "totp_secrets", ["account"], unique=False)
    op.create_table(
        "staff_invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("expires_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_invitations_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_invitations_token_hash")),
    )
    op.create_index(op.f("ix_staff_invitations_staff_id"), "staff_invitations", ["staff_id"], unique=False)
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("amr", sa.String(length=64), nullable=False),
        sa.Column("seen_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("proved_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", idp.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=32), nullable=True),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", idp.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
    )
    op.create_index("ix_staff_sessions_expiry", "staff_sessions", ["expires_at"], unique=False)
    op.create_index("ix_staff_sessions_staff", "staff_sessions", ["staff_id", "ended_at"], unique=False)
    op.create_index("ix_audit_events_target", "audit_events", ["target"], unique=False)
    op.add_column("credentials", sa.Column("locked_at", idp.db.UtcDateTime(timezone=True), nullable=True))
    op.add_column(
        "credentials", sa.Column("forgotten_browsers", sa.JSON(), server_default="[]", nullable=False)
    )
    for name in ("acr", "amr"):
        op.add_column("grants", sa.Column(name, sa.String(length=64), nullable=True))
    op.add_column("signin_sessions", sa.Column("proved_at", idp.db.UtcDateTime(timezone=True), nullable=True))
    for name, length in (("account", 48), ("browser_key", 32)):
        column = sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        op.add_column("signin_sessions", column)
    op.create_index("ix_signin_sessions_account", "signin_sessions", ["account", "created_at"], unique=False)


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_signin_sessions_account", table_name="signin_sessions")
    op.drop_column("signin_sessions", "browser_key")
    op.drop_column("signin_sessions", "account")
    op.drop_column("signin_sessions", "proved_at")
    op.drop_column("grants", "amr")
    op.drop_column("grants", "acr")
    op.drop_column("credentials", "forgotten_browsers")
    op.drop_column("credentials", "locked_at")
    op.drop_index("ix_audit_events_target", table_name="audit_events")
    op.drop_index("ix_staff_sessions_staff", table_name="staff_sessions")
    op.drop_index("ix_staff_sessions_expiry", table_name="staff_sessions")
    op.drop_table("staff_sessions")
    op.drop_index(op.f("ix_staff_invitations_staff_id"), table_name="staff_invitations")
    op.drop_table("staff_invitations")
    op.drop_index("ix_totp_secrets_account", table_name="totp_secrets")
    op.drop_table("totp_secrets")
    op.drop_table("staff")
    op.drop_index("ix_recovery_codes_account", table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index("ix_passkeys_account", table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index("ix_notices_account", table_name="notices")
    op.drop_table("notices")
    op.drop_table("audit_checks")
