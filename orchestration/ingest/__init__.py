"""Sources land in the warehouse: declared in YAML, read typed, loaded in one transaction. Knows no Dagster."""
