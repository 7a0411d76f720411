"""API keys, tokens, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("maker", sa.String(), nullable=False),
        sa.Column("parent", sa.String()),
        sa.Column("created_ms", sa.Integer(), nullable=False),
        sa.Column("expires_ms", sa.Integer()),
        sa.Column("revoked_ms", sa.Integer()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tokens",
        sa.Column("jti", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("sub", sa.String(), nullable=False),
        sa.Column("device", sa.String()),
        sa.Column("expires_ms", sa.Integer(), nullable=False),
        sa.Column("revoked_ms", sa.Integer()),
        sa.PrimaryKeyConstraint("jti"),
    )
    op.create_index("ix_tokens_root", "tokens", ["root"])
    op.create_index("ix_tokens_expires_ms", "tokens", ["expires_ms"])
    op.create_index("tokens_device", "tokens", ["sub", "device"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String()),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_audit_who", "audit", ["who"])
