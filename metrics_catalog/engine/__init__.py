"""Metric -> components -> plan -> SQL -> values. Pure up to the connection: no clock, no files, no environment."""
