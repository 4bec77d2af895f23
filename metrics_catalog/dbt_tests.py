"""What a dbt project's tests vouch for: a build in which one of them fails goes no further. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Partner = tuple[str, str, str]  # column, the other node, its column


@dataclass(frozen=True)
class Vouched:
    """By node: the columns that always have a value, and of those the ones whose value is in a column of another node.

    Declared by dbt's `not_null`, as a test or in an enforced contract, and `relationships`. Tests that only warn, or
    look at some rows, vouch for nothing.
    """

    filled: Mapping[str, frozenset[str]]
    partners: Mapping[str, frozenset[Partner]]


def vouched(nodes: Mapping[str, Any]) -> Vouched:
    """What the tests of a manifest's nodes vouch for."""
    tests = list(_binding(nodes))
    filled: dict[str, set[str]] = {}
    for node, column in _constrained(nodes):
        filled.setdefault(node, set()).add(column)
    for node, kind, given, _ in tests:
        if kind == "not_null":
            filled.setdefault(node, set()).add(given["column_name"])
    partners: dict[str, set[Partner]] = {}
    for node, kind, given, others in tests:
        if kind == "relationships" and given["column_name"] in filled.get(node, ()):
            other = next((one for one in others if one != node), node)
            partners.setdefault(node, set()).add((given["column_name"], other, given["field"]))
    return Vouched(
        {node: frozenset(some) for node, some in filled.items()},
        {node: frozenset(some) for node, some in partners.items()},
    )


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
