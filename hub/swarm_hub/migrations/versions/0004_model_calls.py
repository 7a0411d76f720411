"""The book of calls to the model."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "model_calls",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("asked_ms", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("hold_micro_usd", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer()),
        sa.Column("status", sa.Integer()),
        sa.Column("upstream_id", sa.String(), unique=True),
        sa.Column("input", sa.Integer(), nullable=False),
        sa.Column("output", sa.Integer(), nullable=False),
        sa.Column("cache_read", sa.Integer(), nullable=False),
        sa.Column("cache_write_5m", sa.Integer(), nullable=False),
        sa.Column("cache_write_1h", sa.Integer(), nullable=False),
        sa.Column("server_tools", sa.Text()),
        sa.Column("service_tier", sa.String()),
        sa.Column("stop_reason", sa.String()),
        sa.Column("first_ms", sa.Integer()),
        sa.Column("cost_micro_usd", sa.Integer(), nullable=False),
        sa.Column("estimated", sa.String()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("model_calls_task", "model_calls", ["task_id", "asked_ms"])
    op.create_index("model_calls_open", "model_calls", ["id"], sqlite_where=sa.text("ended_ms IS NULL"))
