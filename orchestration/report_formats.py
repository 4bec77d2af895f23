"""A report's body in each format that can be asked for. Pure, but for what renders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FORMATS = ("html", "pdf", "png", "slack", "mail", "json")


class NoChart(Exception):
    """A picture was asked for of a report that has no chart."""


def rendered(body: Mapping[str, Any], kind: str) -> bytes:
    """A body in one format. Raises `NotTypeset`, and `NoChart` where there is no chart to draw."""
    from metrics_catalog.reporting import html, letters, pdf

    if kind == "html":
        return html.page(body).encode()
    if kind == "pdf":
        return pdf.document(body)
    if kind == "png":
        picture = letters.picture(body)
        if picture is None:
            raise NoChart("this report has no chart to draw")
        return picture
    if kind == "json":
        return _pretty(body)
    said = letters.message(body, {})
    if kind == "slack":
        from orchestration.notify.formats import slack

        return _pretty(slack.payload(said, {}))
    from orchestration.notify.formats import mail

    return mail.mail(said).html.encode()


def _pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str).encode()
