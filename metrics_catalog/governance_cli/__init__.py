"""The command line's governance: importing it adds its commands to `metrics_catalog.cli.app`."""

from metrics_catalog.governance_cli import endings, record, requests

__all__ = ["endings", "record", "requests"]
