"""The ops store: what people and the platform did, in SQLite or PostgreSQL. Never Dagster's own database."""
