"""One agent's life: checkout, runtime, reports, delivery."""
