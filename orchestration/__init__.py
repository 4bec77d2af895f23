"""When it runs and who hears of it: ingestion, Dagster definitions, notifications, the `metrics` command."""
