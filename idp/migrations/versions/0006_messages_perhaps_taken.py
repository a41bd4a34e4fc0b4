"""Messages of which nobody knows whether the other side took them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what the version before writes gets its default."""
    op.add_column(
        "outbox", sa.Column("perhaps_taken", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_column("outbox", "perhaps_taken")
