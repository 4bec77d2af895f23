"""One top key of a YAML text replaced or added; every other character stays as somebody wrote it. Pure."""

from __future__ import annotations

from typing import Any

import yaml


def with_key(text: str, key: str, value: Any) -> str:
    """The text with ``key: value`` at its top level. Raises `ValueError` when the text is no mapping."""
    node = yaml.compose(text)
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("the file is not a mapping")
    flow = None if isinstance(value, dict) else False  # what is innermost stands on one line
    new = yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=120).rstrip()
    for name, given in node.value:
        if name.value == key:
            start = name.start_mark.index
            end = start + len(_own(text[start : given.end_mark.index]))
            return text[:start] + new + text[end:]
    return text.rstrip("\n") + f"\n{new}\n"


def _own(text: str) -> str:
    """Without the blank lines and comments that follow a block, which belong to what comes next."""
    lines = text.splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "".join(lines).rstrip()
