"""Pydantic models of the files people write in the catalog. Frozen, strict; no disk, no database."""
