"""Runs the dbt project: what must be rebuilt, the run itself, and what is remembered of it. Knows no Dagster."""
