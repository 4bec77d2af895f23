"""What a dbt project's tests vouch for: a build in which one of them fails goes no further. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Partner = tuple[str, str, str]  # column, the other node, its column


def partners(nodes: Mapping[str, Any]) -> Mapping[str, frozenset[Partner]]:
    """By node: its columns that always have a value, and that value in a column of another node.

    Declared by dbt's `not_null`, as a test or in an enforced contract, and `relationships`. Tests that only warn, or
    look at some rows, vouch for nothing.
    """
    tests = list(_binding(nodes))
    filled = {(node, given["column_name"]) for node, kind, given, _ in tests if kind == "not_null"}
    filled |= set(_constrained(nodes))
    found: dict[str, set[Partner]] = {}
    for node, kind, given, others in tests:
        if kind == "relationships" and (node, given["column_name"]) in filled:
            other = next((one for one in others if one != node), node)
            found.setdefault(node, set()).add((given["column_name"], other, given["field"]))
    return {node: frozenset(some) for node, some in found.items()}


def _constrained(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, node in nodes.items():
        if (node.get("config", {}).get("contract") or {}).get("enforced"):
            for column, given in node["columns"].items():
                if any(one["type"] == "not_null" for one in given.get("constraints") or ()):
                    yield name, column


def _binding(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], list[str]]]:
    """(tested node, kind, arguments, nodes it reads) of tests that look at every row and fail at the first bad one."""
    for node in nodes.values():
        known, config = node.get("test_metadata"), node.get("config", {})
        if known is None or not node.get("attached_node") or known.get("namespace"):
            continue
        strict = str(config.get("severity", "error")).lower() == "error" and config.get("error_if", "!= 0") == "!= 0"
        if strict and not config.get("where") and not config.get("limit"):
            yield node["attached_node"], known["name"], known["kwargs"], node["depends_on"]["nodes"]
