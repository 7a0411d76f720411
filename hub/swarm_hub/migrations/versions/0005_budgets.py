"""Budgets: what is spent, what is set aside, and what tasks may spend."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

DEFAULT = 5_000_000  # micro-dollars: for tasks that are there already, the setting's own default


def upgrade() -> None:
    op.add_column("tasks", _amount("budget_micro_usd", DEFAULT))
    op.add_column("tasks", _amount("compute_micro_usd"))
    op.add_column("tasks", sa.Column("blocked", sa.String()))
    op.add_column("agents", _amount("reserved_micro_usd"))
    op.add_column("agents", _amount("held_micro_usd"))
    op.add_column("agents", _amount("compute_micro_usd"))
    op.add_column("agents", sa.Column("stop_reason", sa.String()))
    op.add_column("agents", sa.Column("placed_ms", sa.Integer()))
    op.create_index("agents_reserved", "agents", ["id"], sqlite_where=sa.text("reserved_micro_usd > 0"))
    op.create_table(
        "spent",
        sa.Column("quarter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("micro_usd", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "label"),
        sqlite_with_rowid=False,
    )
    _book_what_was_spent()
    op.execute(
        "UPDATE agents SET reserved_micro_usd = max(0, 5000000 - cost_micro_usd)"
        " WHERE status IN ('starting', 'running', 'stopping')"
    )
    op.execute("UPDATE agents SET placed_ms = claimed_ms WHERE handle IS NOT NULL")


def _amount(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text(str(default)))


def _book_what_was_spent() -> None:
    op.execute(
        "INSERT INTO spent SELECT ended_ms / 900000, '', sum(cost_micro_usd) FROM model_calls"
        " WHERE ended_ms IS NOT NULL AND cost_micro_usd > 0 GROUP BY 1"
    )
    op.execute(
        "INSERT INTO spent SELECT ended_ms / 900000, labels.key || '=' || labels.value, sum(cost_micro_usd)"
        " FROM model_calls JOIN labels ON labels.task_id = model_calls.task_id"
        " WHERE ended_ms IS NOT NULL AND cost_micro_usd > 0 GROUP BY 1, 2"
    )
