"""What dashboards ask: the same of the hub and of DuckDB alone."""

QUARTER = (
    "SELECT day, model, sum(cost_micro_usd), count(*) FROM usage WHERE ended_at >= current_date - 90"
    " AND ended_at < current_date GROUP BY ALL ORDER BY ALL"
)
QUESTIONS = {
    "cost by day and model, 90 days": QUARTER,
    "cost by model, a day": "SELECT model, sum(cost_micro_usd) FROM usage WHERE day = current_date GROUP BY ALL",
    "cost by hour and repository, a day": "SELECT hour(ended_at), repo, sum(cost_micro_usd) FROM usage"
    " WHERE day = current_date GROUP BY ALL ORDER BY ALL",
    "durations by type, all": "SELECT type, quantile_cont(duration_ms, [0.5, 0.95]) FROM tasks GROUP BY ALL",
    "twenty dearest tasks, all": "SELECT task_id, sum(cost_micro_usd) AS cost FROM usage GROUP BY ALL"
    " ORDER BY cost DESC, task_id LIMIT 20",
    "success by week and repository, all": "SELECT date_trunc('week', finished_at)::DATE, repo,"
    " avg((status = 'completed')::INTEGER) FROM tasks GROUP BY ALL ORDER BY ALL",
    "cost by team, 30 days": "SELECT l.value, sum(u.cost_micro_usd) FROM usage u JOIN labels l USING (task_id)"
    " WHERE l.key = 'team' AND u.day > current_date - 30 AND u.day <= current_date GROUP BY ALL ORDER BY ALL",
    "share read from caches by model, all": "SELECT model, sum(cache_read_tokens) / sum(cache_read_tokens +"
    " input_tokens) FROM usage GROUP BY ALL",
    "slowest tasks, 7 days": "SELECT task_id, repo, duration_ms FROM tasks WHERE finished_at >= current_date - 7"
    " ORDER BY duration_ms DESC, task_id LIMIT 20",
    "waiting for the first piece by hour, 30 days": "SELECT hour(asked_at), quantile_cont(first_ms, 0.95) FROM usage"
    " WHERE day > current_date - 30 AND day <= current_date GROUP BY ALL ORDER BY ALL",
}
PULL = (
    "SELECT task_id, type, repo, model, ended_at, day, input_tokens, output_tokens, cache_read_tokens, cost_micro_usd"
    " FROM usage"
)
ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 7"
