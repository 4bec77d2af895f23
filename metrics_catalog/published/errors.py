"""What can go wrong when publishing or reading published values. Each says what to do; none hides another's cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metrics_catalog.published.model import AuditReport


class PublishedError(Exception):
    """Anything this room reports to a user."""


class BadInput(PublishedError):
    """Rows, scopes or names handed in cannot be published as they are. Published values are unchanged."""


class AuditFailed(PublishedError):
    """Staged rows broke an audit; carries the `report`. Published values are unchanged."""

    def __init__(self, report: AuditReport) -> None:
        self.report = report
        shown = "\n".join(f"  {finding}" for finding in report.findings)
        super().__init__(f"the audit refused {report.total} row(s) or period(s):\n{shown}")


class PublishLocked(PublishedError):
    """Another process is publishing to the same folder."""


class PublishFailed(PublishedError):
    """The system failed (disk full, file not readable). Published values are unchanged."""


class NotPublished(PublishedError):
    """Nothing had been published at the time asked for."""


class UnknownDimension(PublishedError):
    """A filter names a dimension that the slice asked for does not have."""


class NotWritable(PublishedError):
    """A result cannot be written there or in that format."""
