"""Metrics of a dbt project's semantic layer -> specs of the catalog. Reads the manifest and the YAML, runs nothing.

A metric that cannot be taken over exactly is not taken over: it is named with its place and the reason.
"""
