"""The command line's decisions, usage and review: importing it adds its commands to `metrics_catalog.cli.app`."""

from metrics_catalog.review_cli import decisions, review, usage

__all__ = ["decisions", "review", "usage"]
