"""``row_condition`` text -> Great Expectations' structured condition. Pure; evaluates nothing.

``col("channel") == "门店" and col("quantity") > 0``. The library's own reader of such text knows no Chinese, no
``and``, and is deprecated; ours reads the same text as a Python expression and says what it cannot read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "IN",
    ast.NotIn: "NOT_IN",
}  # fmt: skip
_FORM = 'write it like: col("channel") == "web" and col("quantity").notnull()'


class ConditionError(ValueError):
    """The text is not a condition; the message says which part and how one is written."""


def parse(text: str) -> dict[str, Any]:
    """The condition as plain data. Raises `ConditionError`."""
    try:
        return _condition(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        raise ConditionError(f"cannot read {text!r}; {_FORM}") from None


def columns(condition: dict[str, Any]) -> Iterator[str]:
    """Columns a condition reads, in their order."""
    for inner in condition.get("conditions", ()):
        yield from columns(inner)
    if "column" in condition:
        yield condition["column"]["name"]


def _condition(node: ast.expr) -> dict[str, Any]:
    match node:
        case ast.BoolOp(op, values):
            kind = "and" if isinstance(op, ast.And) else "or"
            conditions = [_condition(value) for value in values]
            if kind == "and" and any(inner["type"] == "or" for inner in conditions):
                raise ConditionError(f'an "or" cannot be inside an "and": {ast.unparse(node)}')
            return {"type": kind, "conditions": conditions}
        case ast.Compare(left, [operator], [right]) if type(operator) in _OPERATORS:
            return _comparison(_column(left), _OPERATORS[type(operator)], right)
        case ast.Call(ast.Attribute(value, "notnull" | "isnull" as test), [], []):
            return {"type": "nullity", "column": _column(value), "is_null": test == "isnull"}
        case _:
            raise ConditionError(f"cannot read {ast.unparse(node)!r}; {_FORM}")


def _column(node: ast.expr) -> dict[str, str]:
    match node:
        case ast.Call(ast.Name("col"), [ast.Constant(str() as name)], []):
            return {"name": name}
        case _:
            raise ConditionError(f'{ast.unparse(node)!r} must be a column: col("name")')


def _comparison(column: dict[str, str], operator: str, node: ast.expr) -> dict[str, Any]:
    value = _value(node)
    if isinstance(value, list) != (operator in ("IN", "NOT_IN")):
        raise ConditionError(f"compare with {ast.unparse(node)!r} by == or >, with a list by in or not in")
    return {"type": "comparison", "column": column, "operator": operator, "parameter": value}


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "date" and len(node.args) == 1:
        node = node.args[0]  # DuckDB compares a date with its ISO text
    try:
        value = ast.literal_eval(node)
    except ValueError:
        raise ConditionError(f"{ast.unparse(node)!r} must be a number, a text or a list of them") from None
    value = list(value) if isinstance(value, (tuple, set)) else value
    if not all(isinstance(item, (str, int, float)) for item in (value if isinstance(value, list) else [value])):
        raise ConditionError(f"{ast.unparse(node)!r} must be a number, a text or a list of them")
    return value
